"""What a process knows of credentials, shared by the routes and by whoever asks who sends a request."""

from collections.abc import Callable
from dataclasses import dataclass

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from sqlalchemy.ext.asyncio import AsyncEngine

from identity.affiliations import Affiliations
from identity.api_keys import ApiKeys
from identity.authenticator import Authenticator
from identity.projected_affiliations import ProjectedAffiliations
from identity.revocation_feed import PostgresFeed, RedisFeed
from identity.revocation_log import RevocationLog
from identity.revocations import Revocations
from identity.sessions import Sessions
from identity.signing import Signing
from runtime.postgres import create_engine
from runtime.secrets.redis_client import create_redis
from runtime.settings import Settings

_CONNECT_S = 1.0
_ANSWER_S = 3.0
"""Longer than the feed waits for news."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Credentials:
    """Everything that issues, verifies and revokes them."""

    engine: AsyncEngine
    redis: Redis
    signing: Signing
    revocations: Revocations
    revocation_log: RevocationLog
    sessions: Sessions
    keys: ApiKeys
    affiliations: Affiliations
    authenticator: Authenticator
    postgres_feed: PostgresFeed
    redis_feed: RedisFeed

    async def end_sessions(self, user_id: str, *, but: str | None = None) -> None:
        """End all sessions of a user but one; without one to keep, API keys too."""
        await self.sessions.end_all(user_id, but=but)
        if but is None:
            await self.keys.delete_all(user_id)

    async def close(self) -> None:
        """Let go of Postgres and Redis."""
        await self.redis.aclose()
        await self.engine.dispose()


def create_credentials(settings: Callable[[], Settings]) -> Credentials:
    """All of it, connected to nothing yet; raise `Misconfigured` where no key signs."""
    first = settings()
    signing = Signing(settings)
    engine = create_engine(first, "patternlog-identity")
    redis = _redis(first)
    stream = f"{first.topic_prefix}:revocations"
    mirror = Revocations()
    log = RevocationLog(mirror, redis, stream)
    keys = ApiKeys(engine, log)
    of = ProjectedAffiliations(engine)
    return Credentials(
        engine=engine,
        redis=redis,
        signing=signing,
        revocations=mirror,
        revocation_log=log,
        sessions=Sessions(engine, log, settings),
        keys=keys,
        affiliations=of,
        authenticator=Authenticator(signing, mirror, keys, of, first.remembered_credentials),
        postgres_feed=PostgresFeed(engine, mirror),
        redis_feed=RedisFeed(redis, stream, mirror),
    )


def _redis(settings: Settings) -> Redis:
    return create_redis(
        settings,
        decode_responses=True,
        socket_connect_timeout=_CONNECT_S,
        socket_timeout=_ANSWER_S,
        # Whoever asks goes on without it, or tries again by itself.
        retry=Retry(NoBackoff(), 0),
    )
