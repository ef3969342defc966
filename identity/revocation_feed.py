"""Hearing of revocations: from Redis as they come, and from Postgres twice a second."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy.ext.asyncio import AsyncEngine

from identity.database import TRY_AGAIN
from identity.revocations import Kind, Revocation, Revocations
from runtime.health import Health
from runtime.postgres import driver

_log = structlog.get_logger(__name__)

POLL_S = 0.5
_BLOCK_MS = 1000
_AGAIN_S = 0.2
_COUNT = 1000
_FROM_THE_START = "0-0"
PART = "revocations"
_HORIZON = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
_WRITTEN_SINCE = """
SELECT kind, subject, extract(epoch FROM expires_at)::float8 AS expires_at
  FROM identity.revocations WHERE written_by >= $1 AND expires_at > now()
"""


class PostgresFeed:
    """Reads what was written since it last looked.

    Ids do not become visible in their order, so it goes on from the oldest transaction that was under way
    when it last looked: whatever that, or a later one, wrote is read, some of it twice.
    """

    def __init__(self, engine: AsyncEngine, mirror: Revocations) -> None:
        self._engine = engine
        self._mirror = mirror
        self._from = 0

    async def run(self) -> None:
        """Look for ever."""
        while True:
            try:
                await self.look()
            except TRY_AGAIN as error:
                _log.debug("revocations are not heard from Postgres", reason=repr(error))
            self._mirror.forget_expired(time.time())
            await asyncio.sleep(POLL_S)

    async def look(self) -> None:
        """Learn what is new."""
        began = time.monotonic()
        async with driver(self._engine) as pg, pg.transaction(isolation="repeatable_read", readonly=True):
            horizon: int = await pg.fetchval(_HORIZON)
            # A server that was restored from a backup counts from less again.
            rows = await pg.fetch(_WRITTEN_SINCE, min(self._from, horizon))
        if horizon < self._from:
            self._from = 0
            return
        for row in rows:
            self._mirror.add(
                Revocation(kind=Kind(row["kind"]), subject=row["subject"], expires_at=row["expires_at"])
            )
        self._from = horizon
        self._mirror.heard_postgres(began)


class RedisFeed:
    """Follows the stream; after each interruption from its start, as another server may have taken over."""

    def __init__(self, redis: Redis, stream: str, mirror: Revocations) -> None:
        self._redis = redis
        self._stream = stream
        self._mirror = mirror

    async def run(self) -> None:
        """Follow for ever."""
        while True:
            try:
                await self._follow()
            except (RedisError, OSError, TimeoutError) as error:
                _log.debug("revocations are not heard from Redis", reason=repr(error))
            _end_if_cancelled()
            await asyncio.sleep(_AGAIN_S)

    async def _follow(self) -> None:
        last = _FROM_THE_START
        while True:
            _end_if_cancelled()
            block = None if last == _FROM_THE_START else _BLOCK_MS
            answer: Any = await self._redis.xread({self._stream: last}, count=_COUNT, block=block)
            entries = answer[0][1] if answer else []
            for entry_id, fields in entries:
                self._learn(fields)
                last = entry_id
            if len(entries) < _COUNT:
                self._mirror.heard_redis(time.monotonic())
            if last == _FROM_THE_START:
                # There is no stream yet: what comes first must not be missed.
                await asyncio.sleep(_AGAIN_S)

    def _learn(self, fields: dict[str, str]) -> None:
        try:
            self._mirror.add(
                Revocation(
                    kind=Kind(fields["kind"]),
                    subject=fields["subject"],
                    expires_at=float(fields["expires_at"]),
                )
            )
        except (KeyError, ValueError) as error:
            _log.warning("a revocation in Redis cannot be read", reason=repr(error))


def _end_if_cancelled() -> None:
    """The library may take a cancellation for an interruption of its own, and go on."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


async def watch(mirror: Revocations, health: Health, now: Callable[[], float] = time.monotonic) -> None:
    """Tell the health check from whom revocations are heard: from one is enough, from none is not."""
    while True:
        unheard = mirror.unheard(now())
        reason = f"not heard from {' nor '.join(unheard)}" if unheard else None
        health.set(PART, None if mirror.is_current(now()) else reason)
        health.remark("revocations by one way", reason if mirror.is_current(now()) else None)
        await asyncio.sleep(POLL_S)
