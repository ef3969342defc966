"""Feeding generations: a projector follows the log once for each that is fed, and looks which those are."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial

import structlog
from faststream.kafka import KafkaBroker
from sqlalchemy.ext.asyncio import AsyncEngine

from projectors import generations, origins, outcomes
from projectors.filling import projection_of
from projectors.generations import Generation, State
from projectors.starting_point import StartingPoint
from projectors.status import Status
from projectors.subscriber import Subscription, create_broker
from projectors.transaction import SESSION, is_passing, reason_of
from projectors.watchdog import Watchdog
from runtime.health import Health
from runtime.log_setup import LogIdentity
from runtime.postgres import create_engine, driver
from runtime.settings import Settings

_log = structlog.get_logger(__name__)

_LOOK_EVERY_S = 0.5
_PURGE_EVERY_S = 3600.0


class Feeding:
    """Runs until it is cancelled; a batch under way ends before it stops."""

    def __init__(self, settings: Settings, health: Health, identity: LogIdentity) -> None:
        self._settings = settings
        self._health = health
        self._identity = identity
        self._fed: dict[str, asyncio.Task[None]] = {}
        self._engine = create_engine(settings, "patternlog-projector")
        for projection in generations.PROJECTIONS:
            health.set(_part(projection), "starting")

    async def run(self) -> None:
        """Look again and again which generations are to be fed."""
        try:
            while True:
                await self._look()
                await asyncio.sleep(_LOOK_EVERY_S)
        finally:
            await asyncio.gather(*(self._stop(name) for name in list(self._fed)))
            await self._engine.dispose()

    async def _look(self) -> None:
        try:
            async with driver(self._engine) as pg:
                known = await generations.load_generations(pg)
        except Exception as error:
            if not is_passing(error):
                raise
            if not self._fed:
                for projection in generations.PROJECTIONS:
                    self._health.set(_part(projection), reason_of(error))
            return
        self._tell(known)
        wanted = {
            one.name: one for one in known if one.state is State.FED and (one.is_live or not one.is_held)
        }
        await asyncio.gather(*(self._stop(name) for name in self._fed.keys() - wanted.keys()))
        for name in wanted.keys() - self._fed.keys():
            self._fed[name] = asyncio.create_task(self._feed(wanted[name]), name=f"feeding {name}")
        for name, task in self._fed.items():
            if task.done():
                _log.error("feeding failed", generation=name)
                await task

    def _tell(self, known: list[Generation]) -> None:
        for live in (one for one in known if one.is_live):
            filling = [
                one.number
                for one in known
                if one.projection == live.projection and one.state is State.FILLING
            ]
            note = f"generation {filling[0]} is being filled" if filling else None
            self._health.note(_part(live.projection), note)
        for one in known:
            if not one.is_live and one.state is State.DROPPED:
                self._health.forget(_part(one.name))

    async def _stop(self, name: str) -> None:
        task = self._fed.pop(name)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        self._health.forget(_part(name))

    async def _feed(self, generation: Generation) -> None:
        async with _feeder(self._settings, self._health, self._identity, generation) as works:
            await asyncio.gather(*works)


@asynccontextmanager
async def _feeder(
    settings: Settings, health: Health, identity: LogIdentity, generation: Generation
) -> AsyncIterator[list[asyncio.Task[None]]]:
    engine = create_engine(settings, "patternlog-projector", **SESSION, search_path=generation.schema)
    projection = projection_of(settings, generation.projection, identity.ancestors)
    broker = create_broker(settings)
    start = StartingPoint(settings, engine, projection, identity.log_id)
    status = Status(health, generation.name)
    subscription = Subscription(broker, settings, engine, projection, start.find, status, generation.name)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(engine.dispose)
        stack.push_async_callback(broker.stop)
        stack.push_async_callback(subscription.assignment.release)
        await _start(broker)
        works = [asyncio.create_task(Watchdog(settings, [subscription]).run())]
        if (purge := _purge_of(settings, generation.projection)) is not None:
            works.append(asyncio.create_task(_purge(engine, generation.name, purge)))
        try:
            yield works
        finally:
            for work in works:
                work.cancel()
            await asyncio.gather(*works, return_exceptions=True)


async def _start(broker: KafkaBroker) -> None:
    """Start to the end, also when cancelled: a consumer that is cut off in it leaves a connection open."""
    starting = asyncio.ensure_future(broker.start())
    try:
        await asyncio.shield(starting)
    except asyncio.CancelledError:
        await asyncio.gather(starting, return_exceptions=True)
        raise


Purge = Callable[[AsyncEngine, datetime], Awaitable[int]]


def _purge_of(settings: Settings, projection: str) -> Purge | None:
    """What deletes a projection's old rows, where it has any."""
    if projection == outcomes.NAME:
        return outcomes.purge
    if projection == origins.NAME:
        return partial(origins.purge, kept=timedelta(days=settings.origin_retention_days))
    return None


async def _purge(engine: AsyncEngine, name: str, purge: Purge) -> None:
    while True:
        try:
            _log.info("purged old rows", generation=name, count=await purge(engine, datetime.now(UTC)))
        except Exception as error:
            if not is_passing(error):
                raise
            _log.warning("old rows were not purged", generation=name, reason=str(error))
        await asyncio.sleep(_PURGE_EVERY_S)


def _part(name: str) -> str:
    return f"projection:{name}"
