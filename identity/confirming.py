"""Whether whoever has a session knows the password too: asked before what cannot be taken back."""

import hashlib
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncEngine

from events.identifiers import is_uuid
from identity import throttle
from identity.account_problems import no_account, wrong_password
from identity.account_rules import typed_password
from identity.database import transaction
from identity.passwords import PasswordPool
from identity.throttle import Limit
from identity.user_rows import BY_ID, User, find
from runtime.problems import Problem


@dataclass(frozen=True, kw_only=True, slots=True)
class Asker:
    """Who asks, from which session and address."""

    user_id: str
    session_id: str | None
    address: str


class Confirming:
    """Compares with the present password, as often as the throttle allows for the session."""

    def __init__(self, engine: AsyncEngine, passwords: PasswordPool) -> None:
        self._engine = engine
        self._passwords = passwords

    async def confirm(self, asker: Asker, typed: str, name: str) -> User:
        """The user; raise `Problem` 403 `wrong_password`, 429, 404 `unknown_account`, 503."""
        if not is_uuid(asker.user_id):
            raise no_account()
        self._passwords.check_room()
        subject, limits = _counted_under(asker)
        async with transaction(self._engine) as pg:
            user = await find(pg, BY_ID, asker.user_id)
            if user is None:
                raise no_account()
            await throttle.count(pg, subject, limits)
        password = typed_password(typed)
        try:
            right = password is not None and await self._is_right(password, user)
        except Problem:
            async with transaction(self._engine) as pg:
                await throttle.give_back(pg, subject, limits)
            raise
        if not right:
            raise wrong_password(name)
        async with transaction(self._engine) as pg:
            await throttle.take_back(pg, subject, limits)
        return user

    async def _is_right(self, password: str, user: User) -> bool:
        return (await self._passwords.verify(password, user.password_hash)).right


def _counted_under(asker: Asker) -> tuple[bytes, tuple[Limit, ...]]:
    source = hashlib.sha256(f"session:{asker.session_id}".encode()).digest()
    limit = Limit(source=source, free=throttle.FREE_UNKNOWN)
    return throttle.subject_of(f"user:{asker.user_id}"), (limit,)
