"""The owner of one partition: takes it, answers its commands, and takes it anew when anything is in doubt."""

import asyncio
import random
import time
import uuid
from collections.abc import Sequence
from contextlib import suppress
from typing import Protocol

import structlog
from aiokafka.errors import KafkaError
from sqlalchemy.ext.asyncio import AsyncEngine

from command_api.decider.conditional_log import ConditionalLog, NotReady, Superseded, Taken, take
from command_api.decider.kafka_partition import KafkaPartition
from command_api.decider.memory import CheckpointWentBack, Memory, WorkingSet
from command_api.decider.micro_batch import Decided, decide_batch
from command_api.decider.partition_io import Topic, UnknownFate
from command_api.decider.recovery import Orphans, read_tail, remember, wanted_by_tail
from command_api.decider.requests import (
    PartitionIdentity,
    Request,
    read_request,
    wanted_by,
    wanted_next,
)
from command_api.decider.snapshot import Snapshot, Wanted, read_snapshot
from events import outcome
from events.errors import EventError
from events.outcome import Position
from events.pattern import ImpossibleEvent
from events.record import NewRecord, Record
from runtime.health import Health
from runtime.kafka import MAX_BATCH_BYTES
from runtime.postgres import FAILED
from runtime.settings import Settings

FAILED_IO = (*FAILED, KafkaError)
# What goes beyond it is one command's: at most 3 MiB.
_MAX_MICRO_BATCH_BYTES = MAX_BATCH_BYTES // 2

logger = structlog.get_logger()


class CommandsLost(Exception):
    """[commands] no longer holds a command that is still to be answered."""


class RetakeDue(Exception):
    """The partition was held long enough; retention must never remove the last fence and mark."""


class Commands(Protocol):
    """Where an owner gets its partition's commands from."""

    def seek(self, offset: int) -> None:
        """Go on at an offset."""

    async def fetch(self, most: int) -> Sequence[Record]:
        """The next commands, as many as there are up to `most`; none after a short wait."""


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
        self._commands = commands
        self._identity = identity
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
            session = await self._take(io, writer)
            self._health.set(self._part, None)
            await session.serve(self._stopping)
        except (CheckpointWentBack, RetakeDue) as error:
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

    async def _take(self, io: KafkaPartition, writer: str) -> "Session":
        before = await read_snapshot(self._engine, self._identity.partition, Wanted())
        await self._check_lag(io, before)
        taken = await take(io, writer=writer, log_id=self._identity.log_id, start=before.start)
        tail = read_tail(taken.events)
        snapshot = await read_snapshot(self._engine, self._identity.partition, wanted_by_tail(tail))
        memory = remember(tail, taken.outcomes, before, snapshot)
        orphans = Orphans(tail, taken.next_command_offset)
        await taken.log.append_mark(
            Position(
                next_command_offset=taken.next_command_offset,
                events_end=orphans.owed_from(taken.next_command_offset, taken.log.events_end),
            )
        )
        self._commands.seek(taken.next_command_offset)
        self._log.info(
            "partition_taken",
            writer=writer,
            next_command_offset=taken.next_command_offset,
            tail_events=len(tail),
            owed_answers=len(orphans),
        )
        return Session(self._settings, self._engine, self._commands, self._identity, taken, memory, orphans)

    async def _check_lag(self, io: KafkaPartition, snapshot: Snapshot) -> None:
        for topic, point in ((Topic.EVENTS, snapshot.start.heads), (Topic.OUTCOMES, snapshot.start.outcomes)):
            lag = (await io.bounds(topic)).end - point.offset
            if lag > self._settings.decider_max_lag:
                raise NotReady(f"the projection of {topic.value} is {lag} records behind")


class Session:
    """One term of ownership: micro-batches, one after another."""

    def __init__(
        self,
        settings: Settings,
        engine: AsyncEngine,
        commands: Commands,
        identity: PartitionIdentity,
        taken: Taken,
        memory: Memory,
        orphans: Orphans,
    ) -> None:
        self._settings = settings
        self._engine = engine
        self._commands = commands
        self._identity = identity
        self._log: ConditionalLog = taken.log
        self._next_offset = taken.next_command_offset
        self._memory = memory
        self._orphans = orphans
        self._retake_at = time.monotonic() + settings.retake_after_s
        self._records_left = settings.retake_after_records

    async def serve(self, stopping: asyncio.Event) -> None:
        """Answer commands until `stopping` is set or something is in doubt."""
        while not stopping.is_set():
            if time.monotonic() > self._retake_at or self._records_left <= 0:
                raise RetakeDue
            records = await self._commands.fetch(self._settings.decider_batch)
            if records:
                await self._answer(records)

    async def _answer(self, records: Sequence[Record]) -> None:
        fresh = [record for record in records if record.offset >= self._next_offset]
        if fresh and fresh[0].offset != self._next_offset:
            raise CommandsLost(f"command {self._next_offset} is gone, the next one is {fresh[0].offset}")
        requests = [read_request(record, self._identity) for record in fresh]
        while requests:
            done = await self._answer_some(requests)
            requests = requests[done:]

    async def _answer_some(self, requests: Sequence[Request]) -> int:
        working, snapshot, count = await self._read(requests)
        decided = decide_batch(
            requests[:count], working, self._identity, self._orphans.of, _MAX_MICRO_BATCH_BYTES
        )
        if decided.events:
            await self._log.append_events(decided.events)
            self._memory.keep_events(working.draft, self._log.events_end - 1)
        await self._log.append_outcomes(self._outcome_records(decided))
        self._memory.keep_answers(working.draft, self._log.outcomes_end - 1)
        self._memory.evict(snapshot)
        self._next_offset = decided.outcomes[-1][0] + 1
        self._orphans.answered_up_to(self._next_offset)
        self._records_left -= len(decided.outcomes)
        return len(decided.outcomes)

    async def _read(self, requests: Sequence[Request]) -> tuple[WorkingSet, Snapshot, int]:
        """What the first requests need, with the state of the projections, and how many they are."""
        snapshot = await self._snapshot(wanted_by(requests))
        working = WorkingSet(self._memory, snapshot)
        more, count = wanted_next(requests, working)
        if more.names or more.versions:
            later = await self._snapshot(more)
            snapshot.names.update(later.names)
            snapshot.versions.update(later.versions)
        return working, snapshot, count

    async def _snapshot(self, wanted: Wanted) -> Snapshot:
        snapshot = await read_snapshot(self._engine, self._identity.partition, wanted)
        self._memory.observe(snapshot)
        return snapshot

    def _outcome_records(self, decided: Decided) -> list[NewRecord]:
        # They land as one batch, so what the whole batch answers is owed by none of them.
        answered_up_to = decided.outcomes[-1][0] + 1
        events_end = self._orphans.owed_from(answered_up_to, self._log.events_end)
        return [
            outcome.encode(answer, command_offset=offset, events_end=events_end)
            for offset, answer in decided.outcomes
        ]
