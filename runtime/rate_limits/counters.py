"""Where hits are counted: in Redis for all processes together, or, while it is away, in this one alone."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog
from limits import RateLimitItem
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from limits.util import WindowStats
from redis.asyncio import BlockingConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from runtime.health import Health
from runtime.metrics import RATE_LIMITS_LOCAL
from runtime.settings import Settings

T = TypeVar("T")

PART = "rate limits"
_AWAY = "Redis does not answer: each process counts for itself"
_CONNECTIONS = 8
_PROBE_S = 1.0
_log = structlog.get_logger(__name__)


class Counters:
    """Sliding windows of `limits`: two numbers for each key, and no burst of twice the limit at a border.

    A call is answered within `redis_timeout_s` whatever Redis does.
    """

    def __init__(self, settings: Settings, health: Health) -> None:
        self._timeout_s = settings.rate_redis_timeout_s
        self._health = health
        url = settings.redis_url.get_secret_value()
        self._pool: BlockingConnectionPool = BlockingConnectionPool.from_url(
            url,
            max_connections=_CONNECTIONS,
            timeout=self._timeout_s,
            # Each call is timed as a whole, which costs less.
            socket_timeout=None,
            socket_connect_timeout=self._timeout_s,
            retry=Retry(NoBackoff(), 0),
        )
        self._redis = RedisStorage(
            f"async+{url}",
            implementation="redispy",
            key_prefix=f"{settings.topic_prefix}:rate",
            connection_pool=self._pool,  # type: ignore[arg-type]  # it takes objects
        )
        self._shared = SlidingWindowCounterRateLimiter(self._redis)
        self._local = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._away = asyncio.Event()

    async def hit(self, item: RateLimitItem, key: str, cost: int) -> bool:
        """Count `cost` hits if the limit allows them all."""
        return await self._ask(lambda limiter: limiter.hit(item, key, cost=cost))

    async def stats(self, item: RateLimitItem, key: str) -> WindowStats:
        """How many hits are left, and when (by `time.time`) there will be more."""
        return await self._ask(lambda limiter: limiter.get_window_stats(item, key))

    async def watch(self) -> None:
        """Look each second whether Redis is back, while it is away."""
        while True:
            await self._away.wait()
            await asyncio.sleep(_PROBE_S)
            if await self._answers():
                self._away.clear()
                self._health.remark(PART, None)

    async def close(self) -> None:
        """Give the connections up."""
        await self._pool.disconnect()

    async def _ask(self, question: Callable[[SlidingWindowCounterRateLimiter], Awaitable[T]]) -> T:
        if not self._away.is_set():
            try:
                async with asyncio.timeout(self._timeout_s):
                    return await question(self._shared)
            except (RedisError, OSError) as error:  # TimeoutError is one of the latter
                await self._lose(error)
        RATE_LIMITS_LOCAL.inc()
        return await question(self._local)

    async def _lose(self, error: Exception) -> None:
        if self._away.is_set():
            return
        self._away.set()
        self._health.remark(PART, _AWAY)
        _log.warning("Redis is away", error=str(error))
        # What was counted here when it was away before is of the past.
        await self._local.storage.reset()
        await self._pool.disconnect(inuse_connections=False)

    async def _answers(self) -> bool:
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._redis.check()
        except TimeoutError:
            return False
