"""Accounts: making them, letting their owners in, and ending them."""

import secrets
import uuid

import asyncpg
from sqlalchemy.ext.asyncio import AsyncEngine

from events.identifiers import is_uuid
from identity import throttle
from identity.account import Account, EndSessions
from identity.account_problems import (
    bad_one_time_token,
    email_taken,
    invalid_credentials,
    no_account,
    username_taken,
)
from identity.account_rules import email_of, key_of, login_of, new_password, typed_password, username_of
from identity.confirming import Asker, Confirming
from identity.database import transaction
from identity.hashing import Verified
from identity.mail import outbox
from identity.mail.texts import MailKind
from identity.one_time_tokens import Purpose, use
from identity.passwords import PasswordPool
from identity.session_endings import carry_out, write_down
from identity.throttle import Limit
from identity.user_rows import (
    ADD,
    BY_ID,
    BY_LOGIN,
    DEACTIVATE,
    FORGET,
    IS_TAKEN,
    LOCK,
    RENEW_HASH,
    STILL_HAS,
    VERIFY,
    User,
    find,
)
from runtime.problems import Problem

__all__ = ["Account", "Accounts", "EndSessions"]

_DEVICE_BYTES = 32
_DEVICE_LENGTH = 43
"""Characters of 32 bytes in URL-safe base64."""


class Accounts:
    """Whatever concerns an account but its password, which `PasswordChanges` changes."""

    def __init__(self, engine: AsyncEngine, passwords: PasswordPool, end_sessions: EndSessions) -> None:
        self._engine = engine
        self._passwords = passwords
        self._end_sessions = end_sessions
        self._confirming = Confirming(engine, passwords)

    async def register(self, username: str, email: str, password: str, address: str) -> Account:
        """A new account, whose owner is written to; raise `Problem`.

        It is made, and takes as long, whether or not another has the e-mail address: nobody learns here
        who has an account. The mail tells the address's owner.
        """
        username, email = username_of(username), email_of(email)
        fit = new_password(password, "password", username, email)
        async with transaction(self._engine) as pg:
            if await pg.fetchval(IS_TAKEN, key_of(username)):
                raise username_taken()
        hashed = await self._passwords.hash(fit)
        user_id = str(uuid.uuid4())
        async with transaction(self._engine) as pg:
            row = await pg.fetchrow(ADD, user_id, username, key_of(username), email, key_of(email), hashed)
            if row is None:
                raise username_taken()
            await throttle.know(pg, user_id, throttle.source_of_address(address))
            await outbox.put(pg, MailKind.REGISTERED, email, user_id)
        return Account(
            user_id=user_id,
            username=username,
            email=email,
            email_verified=False,
            created_at=row["created_at"],
            password_changed_at=row["password_changed_at"],
        )

    async def authenticate(
        self, login: str, password: str, address: str, device: str | None = None
    ) -> Account:
        """Whom a username or a verified e-mail address and a password stand for.

        Raise `Problem` 401 `invalid_credentials`, 429 `too_many_attempts`, 503 `database_unavailable` or
        `busy`. `address` is the client's; `device` a secret from an earlier `know_device`, if it has one.
        """
        self._passwords.check_room()
        typed = typed_password(password)
        if typed is None:
            # Nobody's: that says nothing of the account.
            raise invalid_credentials()
        key, source = login_of(login), throttle.source_of_address(address)
        token = throttle.source_of_device(device) if device and len(device) == _DEVICE_LENGTH else None
        subject = throttle.subject_of(key)
        async with transaction(self._engine) as pg:
            user = await find(pg, BY_LOGIN, key, [source] if token is None else [source, token])
            limits = throttle.limits_of(source, token, user.known if user else ())
            await throttle.count(pg, subject, limits)
        verified = await self._verify(typed, user, subject, limits)
        if user is None or not verified.right:
            raise invalid_credentials()
        await self._let_in(user, verified, subject, (limits, (source, token)))
        return user.account

    async def _verify(
        self, typed: str, user: User | None, subject: bytes, limits: tuple[Limit, ...]
    ) -> Verified:
        try:
            return await self._passwords.verify(typed, user.password_hash if user else None)
        except Problem:
            async with transaction(self._engine) as pg:
                await throttle.give_back(pg, subject, limits)
            raise

    async def _let_in(
        self,
        user: User,
        verified: Verified,
        subject: bytes,
        counted: tuple[tuple[Limit, ...], tuple[bytes, bytes | None]],
    ) -> None:
        limits, sources = counted
        account = user.account
        async with transaction(self._engine) as pg:
            # The password may have been changed while it was compared.
            if not await pg.fetchval(STILL_HAS, account.user_id, account.password_changed_at):
                raise invalid_credentials()
            await throttle.take_back(pg, subject, limits)
            await throttle.know(pg, account.user_id, *filter(None, sources))
            await throttle.trim(pg, account.user_id)
            if verified.new_hash is not None:
                await pg.execute(RENEW_HASH, account.user_id, user.password_hash, verified.new_hash)

    async def know_device(self, user_id: str) -> str:
        """A secret by which a user's device is known again, whatever its address: for a cookie, say."""
        secret = secrets.token_urlsafe(_DEVICE_BYTES)
        async with transaction(self._engine) as pg:
            if not await pg.fetchval(LOCK, user_id):
                raise no_account()
            await throttle.know(pg, user_id, throttle.source_of_device(secret))
            await throttle.trim(pg, user_id)
        return secret

    async def of(self, user_id: str) -> Account | None:
        """The account of a user who is active; raise `Problem` 503 `database_unavailable`."""
        if not is_uuid(user_id):
            return None
        async with transaction(self._engine) as pg:
            user = await find(pg, BY_ID, user_id)
        return user.account if user else None

    async def verify_email(self, token: str) -> None:
        """The address is whose the token was sent to; raise `Problem` 400, or 409 `email_taken`."""
        async with transaction(self._engine) as pg:
            holder = await use(pg, token, Purpose.VERIFY_EMAIL)
            if holder is None:
                raise bad_one_time_token()
            user = await find(pg, BY_ID, holder.user_id)
            if user is None or user.email_key != holder.email_key:
                raise bad_one_time_token()
            try:
                verified = await pg.fetchval(VERIFY, holder.user_id, holder.email_key)
            except asyncpg.UniqueViolationError:
                raise email_taken() from None
            if verified is None:
                raise email_taken()

    async def resend_verification(self, user_id: str) -> None:
        """Send another mail; none if the address is verified. Raise `Problem` 404."""
        account = await self.of(user_id)
        if account is None:
            raise no_account()
        if not account.email_verified:
            async with transaction(self._engine) as pg:
                await outbox.put(pg, MailKind.VERIFY_EMAIL, account.email, user_id)

    async def deactivate(self, asker: Asker, password: str) -> None:
        """End an account for good: address and password are erased, id and name are not given again."""
        user = await self._confirming.confirm(asker, password, "password")
        user_id = user.account.user_id
        async with transaction(self._engine) as pg:
            if await pg.fetchval(DEACTIVATE, user_id, user.account.password_changed_at) is None:
                raise no_account()
            for statement in FORGET:
                await pg.execute(statement, user_id)
            ending_id = await write_down(pg, user_id, None)
        await carry_out(self._engine, self._end_sessions, ending_id, user_id, None)
