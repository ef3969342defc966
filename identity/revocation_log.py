"""Revocations as they are written: Postgres first, in the transaction that ends something, then Redis."""

import asyncio
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import asyncpg
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from identity.access_tokens import LONGEST_LIFE_S
from identity.revocations import Kind, Revocation, Revocations

_log = structlog.get_logger(__name__)

KEPT_S = LONGEST_LIFE_S + 300
"""Seconds for which a revocation is kept: no token that was signed before it lasts longer."""
_TELL_S = 0.5
_INSERT = """
INSERT INTO identity.revocations (kind, subject, expires_at)
SELECT $1, subject, $3 FROM unnest($2::text[]) AS subject
"""


def revocation(kind: Kind, subject: str) -> Revocation:
    """One that begins now."""
    return Revocation(kind=kind, subject=subject, expires_at=time.time() + KEPT_S)


class RevocationLog:
    """Writes revocations, and tells every process of them."""

    def __init__(self, mirror: Revocations, redis: Redis, stream: str) -> None:
        self._mirror = mirror
        self._redis = redis
        self._stream = stream

    async def write(self, pg: asyncpg.Connection, kind: Kind, subjects: Sequence[str]) -> list[Revocation]:
        """Write them in the transaction of the caller, who tells of them once that has committed."""
        found = [revocation(kind, subject) for subject in subjects]
        if found:
            expires_at = datetime.fromtimestamp(found[0].expires_at, UTC)
            await pg.execute(_INSERT, kind.value, list(subjects), expires_at)
        return found

    async def tell(self, written: Iterable[Revocation]) -> None:
        """Act on them here at once, and tell Redis; without it the others learn from Postgres."""
        told = list(written)
        for one in told:
            self._mirror.add(one)
        try:
            async with asyncio.timeout(_TELL_S):
                await self._add(told)
        except (RedisError, OSError, TimeoutError) as error:
            _log.warning("Redis is not told of revocations", reason=repr(error), count=len(told))

    async def _add(self, told: Sequence[Revocation]) -> None:
        oldest = int((time.time() - KEPT_S) * 1000)
        for one in told:
            fields: dict[Any, Any] = {
                "kind": one.kind.value,
                "subject": one.subject,
                "expires_at": str(one.expires_at),
            }
            await self._redis.xadd(self._stream, fields, minid=oldest, approximate=True)
