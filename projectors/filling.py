"""Tables filled from the log in bulk: those of a new generation, or any that are empty.

    Kafka ─► reader's rule ─► decode ─► one transaction for many batches:  rows, added as they come
                                                                           latest states, at its end
                                                                           checkpoint old ─► new

Rows and checkpoint move together, as a projector moves them, so filling can die anywhere and go on from
there, and a projector can take over from it.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import stamina
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError, KafkaTimeoutError
from asyncpg import Connection
from sqlalchemy.ext.asyncio import AsyncEngine

from projectors.batches import Batches
from projectors.checkpoints import Checkpoint, advance, load_offsets
from projectors.errors import Overtaken, ProjectionError, WrongLog
from projectors.generation_tables import create_tables, finish_tables
from projectors.library import NAME as LIBRARY
from projectors.library import Library
from projectors.library_bulk import LibraryBulk
from projectors.origins import Origins
from projectors.outcomes import NAME as OUTCOMES
from projectors.outcomes import Outcomes
from projectors.projection import Projection, Work
from projectors.reader import Bounds, open_reader, read_bounds
from projectors.starting_point import StartingPoint
from projectors.transaction import is_passing, transaction
from runtime.aside import processes_for, run_shares
from runtime.collecting import seldom_collecting
from runtime.kafka import record_of
from runtime.log_setup import LogIdentity, check_log
from runtime.postgres import BY_INDEX, create_engine, driver
from runtime.settings import Settings
from runtime.topics import Topics

_RECORDS = 2_000
_TRANSACTION = 20_000
_TRANSACTION_BYTES = 64 * 1024 * 1024
_SIDE_BY_SIDE = 2
"""While Postgres works for one partition, Python does for the other."""
_WORTH_PROCESSES = 20_000
"""Records that take longer than a process does to start."""
SESSION = {"idle_in_transaction_session_timeout": "120s", "synchronous_commit": "off", **BY_INDEX}
"""A commit that Postgres loses when it dies is lost with its checkpoint, and done again."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Progress:
    """How far the filling of a partition has come."""

    partition: int
    offset: int
    end: int


Report = Callable[[Progress], None]


class Bulk(Protocol):
    """What writes the rows of one partition."""

    async def add(self, pg: Connection, work: Any) -> None:
        """Take the next batch."""

    async def finish(self, pg: Connection) -> None:
        """Write the rest, before the transaction ends."""


class _Plain:
    """Rows that are written as they come."""

    async def add(self, pg: Connection, work: Work) -> None:
        await work.write(pg)

    async def finish(self, pg: Connection) -> None:
        """Nothing is left."""


def projection_of(settings: Settings, name: str, ancestors: tuple[str, ...] = ()) -> Projection[Work]:
    """A projection by its name; `ancestors` are the ids that the log had before."""
    topics = Topics(settings.topic_prefix)
    if name == LIBRARY:
        return Library(topic=topics.events, ancestors=ancestors)
    return Outcomes(topic=topics.outcomes) if name == OUTCOMES else Origins(topic=topics.commands)


def engine_of(settings: Settings, schema: str) -> AsyncEngine:
    """An engine for filling tables in a schema; plain names mean those and no others."""
    return create_engine(settings, "patternlog-filling", **SESSION, search_path=schema)


async def ends_of(settings: Settings, projection: str) -> dict[int, int]:
    """Where the log ends now, by partition."""
    topic, partitions = projection_of(settings, projection).topic, range(settings.log_partitions)
    async with open_reader(settings, "patternlog-filling") as reader:
        return {at: bounds.end for at, bounds in (await read_bounds(reader, topic, partitions)).items()}


async def fill_schema(
    settings: Settings,
    projection: str,
    schema: str,
    until: Mapping[int, int] | None = None,
    report: Report = lambda _: None,
) -> None:
    """Make a projection's tables in a schema, in any database of the settings', and fill them from the log.

    `until` names offsets by partition, each between two commands; None is all that the log holds now.
    """
    engine = engine_of(settings, schema)
    try:
        async with driver(engine) as pg:
            await create_tables(pg, projection, schema)
        await fill(settings, schema, projection, until or await ends_of(settings, projection), report=report)
        await finish_tables(engine, projection, schema)
    finally:
        await engine.dispose()


@dataclass(frozen=True, kw_only=True, slots=True)
class _Share:
    """Partitions that one process fills, at a pace for each of them."""

    settings: Settings
    projection: str
    schema: str
    identity: LogIdentity
    until: Mapping[int, int]
    pace: float | None


async def fill(
    settings: Settings,
    schema: str,
    projection: str,
    until: Mapping[int, int],
    *,
    per_second: float | None = None,
    report: Report = lambda _: None,
) -> None:
    """Fill the schema's tables up to an offset of each partition; go on where they were left.

    Where there is much to do, several processes do it. While Kafka or Postgres is away it waits. Raise
    `Broken`, `Disagreement` or `WrongLog` where a projector would stop.
    """
    identity = await check_log(settings)
    ours = (
        1
        if await _left(settings, schema, projection, until) < _WORTH_PROCESSES
        else processes_for(len(until))
    )
    pace = None if per_second is None else per_second / max(1, min(ours * _SIDE_BY_SIDE, len(until)))
    shares = [
        _Share(
            settings=settings, projection=projection, schema=schema, identity=identity, pace=pace,
            until={partition: end for partition, end in until.items() if partition % ours == number},
        )
        for number in range(ours)
    ]  # fmt: skip
    await run_shares(_fill_share, shares, report)


async def _left(settings: Settings, schema: str, projection: str, until: Mapping[int, int]) -> int:
    engine = engine_of(settings, schema)
    try:
        async with driver(engine) as pg:
            begun = await load_offsets(pg, projection)
    finally:
        await engine.dispose()
    return sum(max(0, end - begun.get(partition, 0)) for partition, end in until.items())


async def _fill_share(share: _Share, report: Report) -> None:
    of_log = projection_of(share.settings, share.projection, share.identity.ancestors)
    working = asyncio.Semaphore(_SIDE_BY_SIDE)
    engine = engine_of(share.settings, share.schema)

    async def one(partition: int, end: int) -> None:
        async with working:
            filling = _PartitionFilling(
                share.settings, engine, of_log, share.identity.log_id, share.pace, report
            )
            await filling.run(partition, end)

    try:
        with seldom_collecting():
            async with asyncio.TaskGroup() as group:
                for partition, end in share.until.items():
                    group.create_task(one(partition, end))
    except* ProjectionError as failed:
        raise failed.exceptions[0] from None
    finally:
        await engine.dispose()


class _PartitionFilling:
    def __init__(
        self,
        settings: Settings,
        engine: AsyncEngine,
        projection: Projection[Work],
        log_id: str,
        per_second: float | None,
        report: Report,
    ) -> None:
        self._settings = settings
        self._engine = engine
        self._projection = projection
        self._log_id = log_id
        self._per_second = per_second
        self._most = _TRANSACTION if per_second is None else max(1_000, min(_TRANSACTION, int(per_second)))
        self._report = report
        self._start = StartingPoint(settings, engine, projection, log_id)

    async def run(self, partition: int, end: int) -> None:
        async for attempt in stamina.retry_context(
            on=_will_pass, attempts=None, timeout=None, wait_initial=0.1, wait_max=2.0, wait_jitter=0.1
        ):
            with attempt:
                await self._go_on(partition, end)

    async def _go_on(self, partition: int, end: int) -> None:
        at = TopicPartition(self._projection.topic, partition)
        checkpoint = await self._start.find(partition)
        bulk = LibraryBulk(partition, self._log_id) if isinstance(self._projection, Library) else _Plain()
        async with open_reader(self._settings, "patternlog-filling", at) as reader:
            _check_end((await read_bounds(reader, at.topic, [partition]))[partition], end)
            reader.seek(at, checkpoint.next_offset)
            self._report(Progress(partition=partition, offset=checkpoint.next_offset, end=end))
            while checkpoint.next_offset < end:
                began = asyncio.get_running_loop().time()
                before = checkpoint.next_offset
                checkpoint = await self._fill_some(reader, at, checkpoint, bulk, end)
                self._report(Progress(partition=partition, offset=checkpoint.next_offset, end=end))
                if checkpoint.next_offset == before:
                    raise WrongLog(
                        f"offset {end} of partition {partition} cuts through the events of a command"
                    )
                await self._slow_down(checkpoint.next_offset - before, began)

    async def _fill_some(
        self, reader: AIOKafkaConsumer, at: TopicPartition, checkpoint: Checkpoint, bulk: Bulk, end: int
    ) -> Checkpoint:
        """One transaction: so many records, or up to the end."""
        batches = Batches(self._projection, at.partition, checkpoint)
        most = checkpoint.next_offset + self._most
        left = _TRANSACTION_BYTES
        async with transaction(self._engine) as pg:
            while batches.read_to < min(most, end) and left > 0:
                messages = await self._next(reader, at, min(_RECORDS, most - batches.read_to))
                batch = batches.take([record_of(message) for message in messages if message.offset < end])
                await bulk.add(pg, batch.work)
                batches.wrote(batch)
                left -= sum(len(message.value or b"") for message in messages)
            await bulk.finish(pg)
            if not await advance(pg, self._projection.name, at.partition, checkpoint, batches.checkpoint):
                raise Overtaken(f"the checkpoint is no longer at offset {checkpoint.next_offset}")
        # What is held back of a command is read again.
        reader.seek(at, batches.checkpoint.next_offset)
        return batches.checkpoint

    async def _next(
        self, reader: AIOKafkaConsumer, at: TopicPartition, most: int
    ) -> Sequence[ConsumerRecord]:
        patience = int(self._settings.kafka_request_timeout_s * 1000)
        found = await reader.getmany(at, timeout_ms=patience, max_records=most)
        messages: Sequence[ConsumerRecord] = found.get(at, ())
        if not messages:
            raise KafkaTimeoutError(f"no records of {at.topic} partition {at.partition} came")
        return messages

    async def _slow_down(self, records: int, began: float) -> None:
        if self._per_second is not None:
            await asyncio.sleep(began + records / self._per_second - asyncio.get_running_loop().time())


def _check_end(bounds: Bounds, end: int) -> None:
    if end > bounds.end:
        raise WrongLog(f"Kafka holds offsets {bounds.begin} to {bounds.end}, not {end}")


def _will_pass(error: Exception) -> bool:
    return isinstance(error, Overtaken | KafkaError) or is_passing(error)
