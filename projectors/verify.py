"""Proof that the read models are what the log says: [events] folded anew in memory, and compared row by row.

Checkpoints and tables are read in one snapshot, and each partition is folded up to its checkpoint, so it
works beside running projectors. Memory grows with the live state and the conflicts, not with the history.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaTimeoutError
from asyncpg import Connection

from events.readers_rule import NO_ONE
from projectors import comparison
from projectors.checkpoints import Checkpoint, load
from projectors.comparison import (
    Difference,
    Findings,
    compare_growing,
    compare_logs,
    compare_table,
    differing_checkpoint,
    find_added_audit,
    find_added_history,
)
from projectors.errors import WrongLog
from projectors.fold import Fold, PartitionFold
from projectors.library import NAME, Library
from projectors.reader import open_reader, read_bounds
from runtime.kafka import record_of
from runtime.log_setup import LogIdentity, check_log
from runtime.postgres import create_engine, driver
from runtime.settings import Settings
from runtime.topics import Topics

_RECORDS = 2_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Progress:
    """How far the folding of a partition has come."""

    partition: int
    offset: int
    end: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """What was read and compared: `rows` counts by table, `behind` the records past the checkpoints."""

    events: int
    void_records: int
    behind: int
    rows: dict[str, int]
    difference_count: int
    differences: list[Difference]

    @property
    def is_equal(self) -> bool:
        """Whether the tables are what the log makes of them."""
        return self.difference_count == 0

    @property
    def first_bad_sequences(self) -> dict[str, int]:
        """Per team, the lowest sequence that is shown wrong, among the differences that were kept."""
        found: dict[str, int] = {}
        for one in self.differences:
            if one.sequence is not None:
                found[one.team_id] = min(one.sequence, found.get(one.team_id, one.sequence))
        return found


def _tell_no_one(_: Progress) -> None:
    """For callers that do not care."""


async def verify(settings: Settings, report: Callable[[Progress], None] = _tell_no_one) -> Report:
    """Fold [events] up to the checkpoints of `library` and compare every row.

    Raise `Broken` or `WrongLog` where the log itself cannot be followed as far as the checkpoint says.
    """
    identity = await check_log(settings)
    engine = create_engine(settings, "patternlog-verify")
    try:
        async with driver(engine) as pg, pg.transaction(isolation="repeatable_read", readonly=True):
            await pg.execute("SET LOCAL statement_timeout = 0")
            return await _Verification(settings, identity, pg, report).run()
    finally:
        await engine.dispose()


class _Verification:
    def __init__(
        self, settings: Settings, identity: LogIdentity, pg: Connection, report: Callable[[Progress], None]
    ) -> None:
        self._settings = settings
        self._library = Library(topic=Topics(settings.topic_prefix).events, ancestors=identity.ancestors)
        self._log_id = identity.log_id
        self._pg = pg
        self._report = report
        self._fold = Fold()
        self._findings = Findings()
        self._behind = 0

    async def run(self) -> Report:
        for partition in range(self._settings.log_partitions):
            await self._fold_partition(partition)
        await self._compare()
        return Report(
            events=self._fold.events,
            void_records=self._fold.void_records,
            behind=self._behind,
            rows=self._findings.rows,
            difference_count=self._findings.difference_count,
            differences=self._findings.differences,
        )

    async def _fold_partition(self, partition: int) -> None:
        at = TopicPartition(self._library.topic, partition)
        async with open_reader(self._settings, "patternlog-verify", at) as reader:
            bounds = (await read_bounds(reader, at.topic, [partition]))[partition]
            end = await load(self._pg, NAME, partition)
            self._behind += bounds.end - (end.next_offset if end else 0)
            if end is None:
                return
            if bounds.begin > 0 or end.next_offset > bounds.end:
                raise WrongLog(bounds.outside(0 if bounds.begin else end.next_offset))
            reader.seek(at, 0)
            await self._read(reader, at, end)

    async def _read(self, reader: AIOKafkaConsumer, at: TopicPartition, end: Checkpoint) -> None:
        beginning = Checkpoint(next_offset=0, standing=NO_ONE, log_id=self._log_id, void_records=0)
        fold = PartitionFold(self._fold, self._library, at.partition, beginning)
        while int(await reader.position(at)) < end.next_offset:
            messages = await self._next(reader, at)
            records = [record_of(message) for message in messages if message.offset < end.next_offset]
            grown = fold.read(records)
            await compare_growing(self._pg, comparison.HISTORY, grown.history, self._findings)
            await compare_growing(self._pg, comparison.AUDIT, grown.audit, self._findings)
            self._report(
                Progress(partition=at.partition, offset=fold.reached.next_offset, end=end.next_offset)
            )
        if fold.reached != end:
            self._findings.add(differing_checkpoint(at.partition))

    async def _next(self, reader: AIOKafkaConsumer, at: TopicPartition) -> Sequence[ConsumerRecord]:
        patience = int(self._settings.kafka_request_timeout_s * 1000)
        found = await reader.getmany(at, timeout_ms=patience, max_records=_RECORDS)
        messages: Sequence[ConsumerRecord] = found.get(at, ())
        if not messages:
            raise KafkaTimeoutError(f"no records of {at.topic} partition {at.partition} came")
        return messages

    async def _compare(self) -> None:
        fold, sequences = self._fold, self._fold.sequences
        for table, rows in (
            (comparison.HEADS, fold.heads.added()),
            (comparison.NAMES, fold.names.added()),
            (comparison.PATTERNS, fold.patterns.added()),
            (comparison.CHANGES, fold.changes.added()),
            (comparison.CONFLICTS, fold.conflicts.added()),
        ):
            await compare_table(self._pg, table, rows, sequences, self._findings)
        await find_added_history(
            self._pg, {key: state.version for key, state in fold.states.items()}, self._findings
        )
        await find_added_audit(self._pg, fold.logs, self._findings)
        await compare_logs(self._pg, fold.logs, self._findings)
