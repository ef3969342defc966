"""API keys: for machines, each acts for the user who made it, with the rights of a role at the most."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import asyncpg
from sqlalchemy.ext.asyncio import AsyncEngine

from events.roles import Role
from identity.database import transaction
from identity.problems import token_revoked, too_many_keys, unknown_key
from identity.revocation_log import RevocationLog
from identity.revocations import Kind
from identity.secret_texts import hash_of, new_api_key

MOST = 100
"""Keys of a user."""
_COLUMNS = "key_id::text, user_id, name, team_id::text, at_most, created_at, expires_at, last_used_at"
_LOCK_USER = "SELECT pg_advisory_xact_lock(hashtextextended('identity.api_keys:' || $1, 0))"
# Whoever ends the session waits for this, and deletes keys afterwards; or this waits, and sees that it ended.
_IS_ENDED = "SELECT ended_at IS NOT NULL FROM identity.sessions WHERE session_id = $1 FOR SHARE"
_COUNT = "SELECT count(*) FROM identity.api_keys WHERE user_id = $1"
_CREATE = f"""
INSERT INTO identity.api_keys (key_id, hash, user_id, name, team_id, at_most, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, now() + $7::interval) RETURNING {_COLUMNS}
"""  # noqa: S608 - our constants
_LIST = f"SELECT {_COLUMNS} FROM identity.api_keys WHERE user_id = $1 ORDER BY created_at, key_id"  # noqa: S608
_FIND = f"SELECT {_COLUMNS} FROM identity.api_keys WHERE hash = $1"  # noqa: S608
_DELETE = "DELETE FROM identity.api_keys WHERE key_id = $1 AND user_id = $2 RETURNING key_id::text"
_DELETE_ALL = "DELETE FROM identity.api_keys WHERE user_id = $1 RETURNING key_id::text"
_USED = """
UPDATE identity.api_keys AS k SET last_used_at = greatest(k.last_used_at, u.at)
  FROM unnest($1::uuid[], $2::timestamptz[]) AS u (key_id, at) WHERE k.key_id = u.key_id
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class ApiKey:
    """A key, without the secret that it is known by."""

    key_id: str
    user_id: str
    name: str
    team_id: str | None
    at_most: Role
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None


class ApiKeys:
    """All of them; each method is one transaction, and raises `Problem` 503 where Postgres is away."""

    def __init__(self, engine: AsyncEngine, revocations: RevocationLog) -> None:
        self._engine = engine
        self._revocations = revocations

    async def create(
        self,
        user_id: str,
        name: str,
        at_most: Role,
        *,
        session_id: str | None = None,
        team_id: str | None = None,
        days: int | None = None,
    ) -> tuple[ApiKey, str]:
        """A new key, and its secret, which nobody can learn again; raise 401 once the session has ended."""
        secret = new_api_key()
        async with transaction(self._engine) as pg:
            if await pg.fetchval(_IS_ENDED, session_id):
                raise token_revoked()
            await pg.execute(_LOCK_USER, user_id)
            if await pg.fetchval(_COUNT, user_id) >= MOST:
                raise too_many_keys(MOST)
            lasts = None if days is None else timedelta(days=days)
            chosen = (str(uuid.uuid4()), hash_of(secret), user_id, name, team_id, at_most.value, lasts)
            (row,) = await pg.fetch(_CREATE, *chosen)
        return _key(row), secret

    async def of(self, user_id: str) -> list[ApiKey]:
        """Those of a user, the oldest first."""
        async with transaction(self._engine) as pg:
            return [_key(row) for row in await pg.fetch(_LIST, user_id)]

    async def find(self, digest: bytes) -> ApiKey | None:
        """The key whose secret has this hash."""
        async with transaction(self._engine) as pg:
            row = await pg.fetchrow(_FIND, digest)
            return None if row is None else _key(row)

    async def delete(self, user_id: str, key_id: str) -> None:
        """Let a key be good no more; raise 404 unless it is the user's."""
        async with transaction(self._engine) as pg:
            if await pg.fetchval(_DELETE, key_id, user_id) is None:
                raise unknown_key(key_id)
            revoked = await self._revocations.write(pg, Kind.KEY, [key_id])
        await self._revocations.tell(revoked)

    async def delete_all(self, user_id: str) -> None:
        """Let no key of a user be good any more."""
        async with transaction(self._engine) as pg:
            gone = await pg.fetch(_DELETE_ALL, user_id)
            revoked = await self._revocations.write(pg, Kind.KEY, [row["key_id"] for row in gone])
        await self._revocations.tell(revoked)

    async def note_uses(self, uses: Mapping[str, datetime]) -> None:
        """Remember when keys were last used."""
        async with transaction(self._engine) as pg:
            await pg.execute(_USED, list(uses), list(uses.values()))


def _key(row: asyncpg.Record) -> ApiKey:
    return ApiKey(**{**row, "at_most": Role(row["at_most"])})
