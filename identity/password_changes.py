"""New passwords: for those who know the old one, and for those who read the account's mail."""

import asyncpg
from sqlalchemy.ext.asyncio import AsyncEngine

from identity import throttle
from identity.account import EndSessions
from identity.account_problems import bad_one_time_token, wrong_password
from identity.account_rules import email_of, key_of, new_password
from identity.confirming import Asker, Confirming
from identity.database import transaction
from identity.mail import outbox
from identity.mail.texts import MailKind
from identity.one_time_tokens import Purpose, holder_of, use, void_all
from identity.passwords import PasswordPool
from identity.session_endings import carry_out, write_down
from identity.throttle import Limit
from identity.user_rows import BY_ID, SET_PASSWORD, VERIFY, User, find
from runtime.problems import Problem


class PasswordChanges:
    """Sets passwords, and ends what was open under the old one."""

    def __init__(self, engine: AsyncEngine, passwords: PasswordPool, end_sessions: EndSessions) -> None:
        self._engine = engine
        self._passwords = passwords
        self._end_sessions = end_sessions
        self._confirming = Confirming(engine, passwords)

    async def change(self, asker: Asker, current: str, new: str) -> None:
        """Change it and end all sessions but the asker's; raise `Problem`."""
        user = await self._confirming.confirm(asker, current, "current_password")
        account = user.account
        fit = new_password(new, "new_password", account.username, account.email)
        hashed = await self._passwords.hash(fit)
        async with transaction(self._engine) as pg:
            if not await _set(pg, user, hashed):
                raise wrong_password("current_password")
            ending_id = await write_down(pg, account.user_id, asker.session_id)
        await carry_out(self._engine, self._end_sessions, ending_id, account.user_id, asker.session_id)

    async def forgotten(self, email: str) -> None:
        """Send a mail, if an account has the address; what is done here is the same if none has."""
        try:
            address = email_of(email)
        except Problem:
            return
        async with transaction(self._engine) as pg:
            await outbox.put(pg, MailKind.FORGOTTEN, address)

    async def reset(self, token: str, new: str, address: str) -> None:
        """Set it for whoever has the token, and end all sessions and keys; raise `Problem`."""
        async with transaction(self._engine) as pg:
            holder = await holder_of(pg, token, Purpose.RESET_PASSWORD)
            user = None if holder is None else await find(pg, BY_ID, holder.user_id)
        if user is None:
            raise bad_one_time_token()
        account = user.account
        hashed = await self._passwords.hash(
            new_password(new, "new_password", account.username, account.email)
        )
        async with transaction(self._engine) as pg:
            used = await use(pg, token, Purpose.RESET_PASSWORD)
            if used is None or not await _set(pg, user, hashed):
                raise bad_one_time_token()
            ending_id = await write_down(pg, account.user_id, None)
            await _let_back_in(pg, user, address)
        await self._verify_email(account.user_id, used.email_key)
        await carry_out(self._engine, self._end_sessions, ending_id, account.user_id, None)

    async def _verify_email(self, user_id: str, email_key: str) -> None:
        """Whoever read the mail has the address, unless another was faster."""
        async with transaction(self._engine) as pg:
            try:
                async with pg.transaction():
                    await pg.fetchval(VERIFY, user_id, email_key)
            except asyncpg.UniqueViolationError:
                return


async def _set(pg: asyncpg.Connection, user: User, hashed: str) -> bool:
    account = user.account
    if await pg.fetchval(SET_PASSWORD, account.user_id, hashed, account.password_changed_at) is None:
        return False
    await void_all(pg, account.user_id, Purpose.RESET_PASSWORD)
    await outbox.put(pg, MailKind.PASSWORD_CHANGED, account.email, account.user_id)
    return True


async def _let_back_in(pg: asyncpg.Connection, user: User, address: str) -> None:
    """Whoever read the mail is known where they are, and has not guessed."""
    source = throttle.source_of_address(address)
    await throttle.know(pg, user.account.user_id, source)
    for login in (key_of(user.account.username), user.email_key):
        await throttle.take_back(pg, throttle.subject_of(login), (Limit(source=source, free=0),))
