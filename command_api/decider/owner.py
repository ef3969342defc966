"""The owner of one partition: takes it, answers its commands, and takes it anew when anything is in doubt."""

import asyncio
import random
import uuid
from contextlib import suppress

import asyncpg
import structlog
from aiokafka.errors import KafkaError
from sqlalchemy.ext.asyncio import AsyncEngine

from command_api.decider.conditional_log import NotReady, Superseded
from command_api.decider.kafka_partition import KafkaPartition
from command_api.decider.memory import CheckpointWentBack
from command_api.decider.partition_io import UnknownFate
from command_api.decider.requests import PartitionIdentity
from command_api.decider.session import (
    Commands,
    CommandsLost,
    RetakeDue,
    Seat,
    take_session,
)
from command_api.decider.snapshot import (
    FIRST,
    Snapshot,
    Switched,
    Wanted,
    live_generations,
    read_snapshot,
)
from events.errors import EventError
from events.pattern import ImpossibleEvent
from runtime.health import Health
from runtime.postgres import FAILED
from runtime.settings import Settings

FAILED_IO = (*FAILED, KafkaError)

logger = structlog.get_logger()


class PartitionOwner:
    """One partition's decider. `run` until `stop`; every doubt ends in taking the partition anew."""

    def __init__(
        self,
        settings: Settings,
        engine: AsyncEngine,
        health: Health,
        commands: Commands,
        identity: PartitionIdentity,
    ) -> None:
        self._settings = settings
        self._engine = engine
        self._health = health
        self._identity = identity
        self._seat = Seat(settings=settings, identity=identity, commands=commands, read=self._read)
        self._generations = FIRST
        self._stopping = asyncio.Event()
        self._part = f"partition-{identity.partition}"
        self._log = logger.bind(partition=identity.partition)

    def stop(self) -> None:
        """Finish the micro-batch under way, then end `run`."""
        self._stopping.set()

    async def run(self) -> None:
        """Own the partition until stopped; a broken log raises an alarm and ends the ownership."""
        self._health.set(self._part, "not taken yet")
        try:
            while not self._stopping.is_set():
                await self._own_once()
        except (EventError, ImpossibleEvent, CommandsLost) as error:
            self._log.critical("partition_stopped", reason=str(error))
            self._health.alarm(self._part, f"stopped: {error}")
        else:
            self._health.set(self._part, None)

    async def _own_once(self) -> None:
        writer = str(uuid.uuid4())
        io = KafkaPartition(self._settings, self._identity.partition, writer)
        try:
            await io.start()
            self._generations = await live_generations(self._engine)
            session = await take_session(io, writer, self._seat)
            self._log.info("partition_taken", writer=writer, **session.begun)
            self._health.set(self._part, None)
            await session.serve(self._stopping)
        except (CheckpointWentBack, Switched, RetakeDue) as error:
            self._log.info("partition_taken_anew", reason=repr(error))
        except (NotReady, Superseded, UnknownFate, *FAILED_IO) as error:
            self._log.warning("partition_left", reason=repr(error))
            self._health.set(self._part, f"{type(error).__name__}: {error}")
            await self._pause()
        finally:
            await io.drop()

    async def _pause(self) -> None:
        # Random, so that two that believe they own a partition do not take it from one another in step.
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), random.uniform(0.3, 1.0))  # noqa: S311

    async def _read(self, wanted: Wanted) -> Snapshot:
        try:
            return await read_snapshot(self._engine, self._identity.partition, wanted, self._generations)
        except asyncpg.UndefinedTableError:
            if await live_generations(self._engine) == self._generations:
                raise
            raise Switched("the generation that was live is dropped") from None
