"""Sessions: a device that is logged in, and the chain of refresh tokens by which it stays so."""

import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import asyncpg
from sqlalchemy.ext.asyncio import AsyncEngine

from identity import session_statements as sql
from identity.accounts import Account
from identity.database import transaction
from identity.problems import bad_refresh_token, token_expired, token_revoked
from identity.revocation_log import RevocationLog
from identity.revocations import Kind
from identity.secret_texts import hash_of, new_refresh_token
from runtime.problems import Problem
from runtime.settings import Settings

MOST = 100
"""Sessions of a user; one more ends the one that was used least lately."""
_REMEMBERED = 200
"""Used tokens of a session that are known again: those of two days, at four an hour."""
_REUSED = (
    "the refresh token was used before: somebody may have copied it, so the session is ended. Log in again"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Session:
    """A device that is logged in."""

    session_id: str
    user_id: str
    device: str
    address: str
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Opened:
    """A session, and the token that keeps it up."""

    session_id: str
    user_id: str
    username: str
    refresh_token: str = field(repr=False)
    issued_at: int
    """Seconds since 1970, from before it was written: whoever revokes later revokes what is signed then."""


class Sessions:
    """All of them; each method is one transaction, and raises `Problem` 503 where Postgres is away."""

    def __init__(
        self, engine: AsyncEngine, revocations: RevocationLog, settings: Callable[[], Settings]
    ) -> None:
        self._engine = engine
        self._revocations = revocations
        self._settings = settings

    async def now(self) -> datetime:
        """The database's time: that of a login, before the password is looked at."""
        async with transaction(self._engine) as pg:
            found: datetime = await pg.fetchval("SELECT clock_timestamp()")
            return found

    async def open(self, account: Account, device: str, address: str, began: datetime) -> Opened:
        """A new session of whoever began to log in then; raise 401 if all of theirs were ended since."""
        issued_at = int(time.time())
        session_id, token, user_id = str(uuid.uuid4()), new_refresh_token(), account.user_id
        async with transaction(self._engine) as pg:
            await pg.execute(sql.LOCK_USER, user_id)
            is_same = await pg.fetchval(sql.UNCHANGED_USER, user_id, account.password_changed_at)
            if not is_same or await pg.fetchval(sql.ENDED_SINCE, user_id, began):
                raise token_revoked("all sessions were ended while you logged in: log in again")
            crowded = await pg.fetch(sql.CROWDED, user_id, MOST - 1)
            revoked = await self._end(pg, [row["session_id"] for row in crowded])
            await pg.execute(
                sql.OPEN,
                *(session_id, user_id, device, address),
                timedelta(days=self._settings().session_days),
            )
            await self._issue(pg, session_id, token, 0)
        await self._revocations.tell(revoked)
        return Opened(
            session_id=session_id,
            user_id=user_id,
            username=account.username,
            refresh_token=token,
            issued_at=issued_at,
        )

    async def refresh(self, token: str, address: str) -> Opened:
        """The next token of a session; raise 401 for one that is unknown, expired, or was used before."""
        issued_at = int(time.time())
        async with transaction(self._engine) as pg:
            # Whoever comes second waits here, and then sees what the first one did.
            session = await pg.fetchrow(sql.LOCK_SESSION, hash_of(token))
            given = await pg.fetchrow(sql.GIVEN, hash_of(token), self._settings().refresh_grace_s)
            if session is None or given is None:
                raise bad_refresh_token()
            refused = _refusal(session, given)
            if refused is None:
                following = new_refresh_token()
                await self._rotate(pg, session, given, following, address)
                return Opened(
                    session_id=session["session_id"],
                    user_id=session["user_id"],
                    username=session["username"],
                    refresh_token=following,
                    issued_at=issued_at,
                )
            revoked = [] if session["ended"] else await self._end(pg, [session["session_id"]])
        await self._revocations.tell(revoked)
        raise refused

    async def of(self, user_id: str) -> list[Session]:
        """Those that go on, the one used last first."""
        async with transaction(self._engine) as pg:
            return [Session(**row) for row in await pg.fetch(sql.LIST, user_id)]

    async def end(self, user_id: str, session_id: str) -> bool:
        """End one session of a user; whether there was one. Its access tokens are revoked in any case."""
        async with transaction(self._engine) as pg:
            found = await pg.fetchval(sql.OWN, session_id, user_id)
            revoked = await self._end(pg, [session_id]) if found else []
        await self._revocations.tell(revoked)
        return bool(found)

    async def end_all(self, user_id: str, *, but: str | None = None) -> None:
        """End all sessions of a user, but one if it is named; a login that is under way comes to nothing."""
        async with transaction(self._engine) as pg:
            revoked = await self.end_all_in(pg, user_id, but=but)
        await self._revocations.tell(revoked)

    async def end_all_in(self, pg: asyncpg.Connection, user_id: str, *, but: str | None = None) -> Any:
        """The same in a transaction of the caller, who tells of the revocations afterwards."""
        await pg.execute(sql.LOCK_USER, user_id)
        rows = await pg.fetch(sql.ALL, user_id, but)
        revoked = await self._end(pg, [row["session_id"] for row in rows])
        await self._revocations.write(pg, Kind.USER, [user_id])
        return revoked

    async def revoke_token(self, jti: str) -> None:
        """Let one access token be good no more; its session goes on."""
        async with transaction(self._engine) as pg:
            revoked = await self._revocations.write(pg, Kind.TOKEN, [jti])
        await self._revocations.tell(revoked)

    async def _rotate(
        self, pg: asyncpg.Connection, session: Any, given: Any, following: str, address: str
    ) -> None:
        generation: int = given["generation"] + 1
        await pg.execute(sql.USE, given["hash"])
        await pg.execute(sql.ADVANCE, session["session_id"], generation, address)
        await self._issue(pg, session["session_id"], following, generation)
        await pg.execute(sql.FORGET, session["session_id"], generation - _REMEMBERED)

    async def _issue(self, pg: asyncpg.Connection, session_id: str, token: str, generation: int) -> None:
        days = timedelta(days=self._settings().refresh_token_days)
        await pg.execute(sql.ISSUE, hash_of(token), session_id, generation, days)

    async def _end(self, pg: asyncpg.Connection, session_ids: Sequence[str]) -> Any:
        await pg.execute(sql.END, list(session_ids))
        return await self._revocations.write(pg, Kind.SESSION, session_ids)


def _refusal(session: Any, given: Any) -> Problem | None:
    """Why a token is not taken.

    The newest generation is unused. A token of the one before may come again, shortly after it was used and
    while nothing newer was: its answer may be lost. Any other was used before, or its sibling was.
    """
    if session["ended"] or session["username"] is None:
        return token_revoked("the session was ended: log in again")
    if session["expired"] or given["expired"]:
        return token_expired()
    age = session["generation"] - given["generation"]
    if age == 0 or (age == 1 and given["in_grace"]):
        return None
    return token_revoked(_REUSED)
