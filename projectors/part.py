"""The projector as a part of a process: the projections, their watchdog, and the purge of old rows."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import structlog
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine

from projectors import origins, outcomes
from projectors.library import Library
from projectors.origins import Origins
from projectors.outcomes import Outcomes
from projectors.projection import Projection, Work
from projectors.starting_point import StartingPoint
from projectors.status import Status
from projectors.subscriber import Subscription, create_broker
from projectors.transaction import SESSION, is_passing
from projectors.watchdog import Watchdog
from runtime.health import Health
from runtime.log_setup import check_log
from runtime.postgres import create_engine
from runtime.service import spawn
from runtime.settings import Settings
from runtime.topics import Topics

_log = structlog.get_logger(__name__)

_PURGE_EVERY_S = 3600.0


@asynccontextmanager
async def projector_part(app: FastAPI, settings: Settings, health: Health) -> AsyncIterator[None]:
    """Follow the topics as long as the process lives; a batch under way ends before it stops."""
    identity = await check_log(settings)
    engine = create_engine(settings, "patternlog-projector", **SESSION)
    broker = create_broker(settings)
    topics = Topics(settings.topic_prefix)
    subscriptions = []
    projections: Sequence[Projection[Work]] = (
        Library(topic=topics.events, ancestors=identity.ancestors),
        Outcomes(topic=topics.outcomes),
        Origins(topic=topics.commands),
    )
    for projection in projections:
        start = StartingPoint(settings, engine, projection, identity.log_id)
        status = Status(health, projection.name)
        subscriptions.append(Subscription(broker, settings, engine, projection, start.find, status))
    workers: list[asyncio.Task[None]] = []
    try:
        await broker.start()
        workers.append(spawn(app, Watchdog(settings, subscriptions).run(), "watchdog"))
        workers.append(spawn(app, _purge(engine, timedelta(days=settings.origin_retention_days)), "purge"))
        yield
    finally:
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
        for subscription in subscriptions:
            await subscription.assignment.release()
        await broker.stop()
        await engine.dispose()


async def _purge(engine: AsyncEngine, origins_kept: timedelta) -> None:
    while True:
        try:
            now = datetime.now(UTC)
            _log.info("purged outcomes", count=await outcomes.purge(engine, now))
            _log.info("purged origins", count=await origins.purge(engine, now, origins_kept))
        except Exception as error:
            if not is_passing(error):
                raise
            _log.warning("old rows were not purged", reason=str(error))
        await asyncio.sleep(_PURGE_EVERY_S)
