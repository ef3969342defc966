"""The coordinator as a part of a process: of all processes that have it, one at a time works."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import structlog
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine

from command_api.command_log import CommandLog
from command_api.coordination import rows
from command_api.coordination.coordinator import PART, Coordinator
from projectors.schema.generations import LIVE, search_path
from runtime.health import Health
from runtime.log_setup import check_log
from runtime.postgres import BY_INDEX, FAILED, create_engine, driver
from runtime.problems import Problem
from runtime.service import spawn
from runtime.settings import Settings

_log = structlog.get_logger(__name__)

_LOCK = 0x70_61_74_74_6F_72_67
_AGAIN_AFTER_S = 1.0
_LOOK_AFTER_S = 10.0
"""Without word of a change, which may get lost."""
_WAITING_S = 0.5
"""Until a look at teams that were told and have not said so."""


@asynccontextmanager
async def coordination_part(app: FastAPI, settings: Settings, health: Health) -> AsyncIterator[None]:
    """Let organizations reach their teams while the process runs."""
    identity = await check_log(settings)
    engine = create_engine(settings, "patternlog-coordinator", **BY_INDEX)
    log = CommandLog(settings, identity.partitions)
    await log.start()
    coordinator = Coordinator(log=log, health=health, log_id=identity.log_id)
    worker = spawn(app, CoordinationWorker(engine, coordinator, health).run(), "coordinator")
    try:
        yield
    finally:
        worker.cancel()
        await asyncio.gather(worker, return_exceptions=True)
        await log.stop()
        await engine.dispose()


class CoordinationWorker:
    """Takes the turn, and takes it again when it was lost."""

    def __init__(self, engine: AsyncEngine, coordinator: Coordinator, health: Health) -> None:
        self._engine = engine
        self._coordinator = coordinator
        self._health = health
        self._changed = asyncio.Event()

    async def run(self) -> None:
        """Work for ever; what passes is told by health, and tried again."""
        while True:
            try:
                await self._take_turn()
            except asyncio.CancelledError:
                # aiokafka cancels what waits for a connection that breaks; that is no end of ours.
                task = asyncio.current_task()
                if task is None or task.cancelling():
                    raise
                self._health.set(PART, "kafka: the connection broke")
            except Problem as problem:
                self._health.set(PART, f"kafka: {problem.detail}")
            except FAILED as error:
                self._health.set(PART, f"postgres: {error or type(error).__name__}")
            await asyncio.sleep(_AGAIN_AFTER_S)

    async def _take_turn(self) -> None:
        async with driver(self._engine) as turn:
            if not await turn.fetchval("SELECT pg_try_advisory_lock($1)", _LOCK):
                self._health.set(PART, None)
                return
            _log.info("coordinating organizations")
            await turn.add_listener(rows.CHANNEL, lambda *_: self._changed.set())
            while True:
                # Nobody works on without the lock, which is gone with its session.
                await turn.execute("SELECT 1")
                await self._wait(await self._work())

    async def _work(self) -> int:
        self._changed.clear()
        async with driver(self._engine) as pg:
            live = {row[0]: row[1] for row in await pg.fetch(LIVE)}
        path = search_path([live["library"], live["outcomes"]])
        async with driver(self._engine, path) as pg:
            left = await self._coordinator.work(pg)
            await self._coordinator.count_refusals(pg)
        self._health.set(PART, None)
        return left

    async def _wait(self, left: int) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(_WAITING_S if left else _LOOK_AFTER_S):
                await self._changed.wait()
