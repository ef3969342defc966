"""The read models of `outcomes` compared with [outcomes], as far as that reaches back.

[outcomes] loses what is older than its retention, and the purge removes rows of that age. So rows of commands
before the first record that Kafka holds are passed over, and a row that may be purged need not be there.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from aiokafka import AIOKafkaConsumer, TopicPartition

from events.errors import MalformedRecord
from events.outcome import Position, is_mark
from events.readers_rule import NO_ONE
from events.record import COMMAND_OFFSET, Record, integer_of
from projectors.checkpoints import Checkpoint, load
from projectors.comparison import PATIENCE_S, rows_at
from projectors.errors import Broken, NoFenceKnown
from projectors.findings import Difference, Kind
from projectors.log_reading import read_records
from projectors.outcomes import KEPT, NAME, Outcomes, OutcomesWork
from projectors.proof import Proof
from projectors.proven import Comparable
from projectors.reader import Bounds, open_reader, read_bounds
from projectors.reading import sift
from projectors.refusals_proof import RefusalsProof
from projectors.rows import Row
from projectors.schema import outcomes as tables
from projectors.starting_point import find_first_fence

_CLIENT = "patternlog-verify"
_CLOCKS_DIFFER = timedelta(hours=1)
"""By how much a projector's clock, by which it purges, may be ahead of Postgres'."""

_COLUMNS = (
    *("team_id", "command_id", "command_offset", "command_hash", "log_id", "recorded_at", "status", "answer"),
    "partition",
)
_TABLE = Comparable(table=tables.outcomes, columns=_COLUMNS)
_OFFSET, _RECORDED_AT = _TABLE.places(["command_offset", "recorded_at"])
_POSITION = "SELECT next_command_offset, events_end FROM decider_positions WHERE partition = $1"
_COUNTS = """
SELECT count(*) FILTER (WHERE command_offset < $2), count(*) FILTER (WHERE command_offset >= $2)
  FROM outcomes WHERE partition = $1
"""


class OutcomesProof:
    """One comparison."""

    def __init__(self, proof: Proof) -> None:
        self._proof = proof
        self._outcomes = Outcomes(topic=proof.topics.outcomes)
        self._may_be_purged = datetime.now(UTC)
        self._beyond = 0
        self._purged = 0

    async def run(self) -> None:
        """Read what Kafka holds of every partition up to its checkpoint, and compare it."""
        now: datetime = await self._proof.pg.fetchval("SELECT now()")
        self._may_be_purged = now - KEPT + _CLOCKS_DIFFER
        for partition in range(self._proof.settings.log_partitions):
            at = TopicPartition(self._proof.topics.outcomes, partition)
            async with open_reader(self._proof.settings, _CLIENT, at) as reader:
                await self._prove(reader, at)
        if self._beyond:
            self._proof.not_compared.append(
                f"outcomes: {self._beyond:,} rows whose records Kafka no longer holds"
            )
        if self._purged:
            self._proof.not_compared.append(f"outcomes: {self._purged:,} records whose rows are purged")

    async def _prove(self, reader: AIOKafkaConsumer, at: TopicPartition) -> None:
        bounds = (await read_bounds(reader, at.topic, [at.partition]))[at.partition]
        end = await load(self._proof.pg, NAME, at.partition)
        if end is None:
            return
        if not bounds.hold(end.next_offset):
            self._fail(at, end.next_offset, bounds.outside(end.next_offset))
            return
        try:
            begin = await find_first_fence(reader, at, bounds)
            await self._read(reader, at, bounds, begin, end)
        except NoFenceKnown as error:
            self._proof.not_compared.append(f"outcomes: partition {at.partition}: {error}")
        except Broken as broken:
            self._fail(at, broken.offset, broken.reason)
        except MalformedRecord as error:
            self._fail(at, end.next_offset, str(error))

    async def _read(
        self, reader: AIOKafkaConsumer, at: TopicPartition, bounds: Bounds, begin: int, end: Checkpoint
    ) -> None:
        reached = Checkpoint(next_offset=begin, standing=NO_ONE, log_id=end.log_id, void_records=0)
        first: int | None = None
        newest: Position | None = None
        found = 0
        refusals = RefusalsProof(self._proof, at.partition, self._may_be_purged)
        async for records in read_records(self._proof.settings, reader, at, begin, end.next_offset):
            sifted = sift(reached, records)
            reached = sifted.end
            first = _command_offset(sifted.counting) if first is None else first
            work = self._take(at.partition, end.log_id, sifted.counting)
            newest = work.newest or newest
            found += await self._compare([(*row, at.partition) for row in work.answers])
            await refusals.take(work.refusals)
            self._proof.passed("outcomes", at.partition, reached.next_offset, end.next_offset)
        # From mid-log on the void records before are not counted.
        same_count = bounds.begin > 0 or reached.void_records == end.void_records
        if (reached.standing, reached.log_id) != (end.standing, end.log_id) or not same_count:
            self._proof.differing("checkpoints", at.partition)
        await self._compare_position(at.partition, newest)
        await self._count(at.partition, first or 0, found)
        await refusals.end(first or 0)

    def _take(self, partition: int, log_id: str, counting: Sequence[Record]) -> OutcomesWork:
        """What a projector makes of the next records."""
        self._proof.answers += sum(not is_mark(record) for record in counting)
        return self._outcomes.take(partition, log_id, counting)

    async def _compare(self, answers: Sequence[Row]) -> int:
        """Compare the rows of some first answers; return how many of them there are."""
        expected = [row for row in answers if self._proof.has(row[0], row[1])]
        if not expected:
            return 0
        rows = await rows_at(self._proof.pg, _TABLE, [_TABLE.key_of(row) for row in expected])
        self._proof.findings.saw(NAME, len(rows))
        for row in expected:
            self._judge(row, rows.get(_TABLE.key_of(row)))
        return len(rows)

    def _judge(self, row: Row, found: Row | None) -> None:
        if row == found:
            return
        # Once its row is purged, a command that is sent again is answered anew.
        anew = found is None or found[_OFFSET] > row[_OFFSET]
        if anew and row[_RECORDED_AT] < self._may_be_purged:
            self._purged += 1
        else:
            self._add(row[0], row[1], "missing" if found is None else "altered")

    async def _count(self, partition: int, first: int, found: int) -> None:
        """Look for rows that no record of [outcomes] tells of."""
        where, arguments = "true", list[object]()
        if self._proof.sample is not None:
            where, arguments = self._proof.sample.condition("command_id::text", 3)
        statement = f"{_COUNTS} AND {where}"
        row = await self._proof.pg.fetchrow(statement, partition, first, *arguments, timeout=PATIENCE_S)
        beyond, within = row or (0, 0)
        self._beyond += beyond
        if within > found:
            self._add("", f"partition {partition}: {within - found} too many", "added")

    async def _compare_position(self, partition: int, newest: Position | None) -> None:
        row = await self._proof.pg.fetchrow(_POSITION, partition)
        found = None if row is None else Position(next_command_offset=row[0], events_end=row[1])
        if newest is not None:
            self._proof.findings.saw("decider_positions", 1)
            if found != newest:
                self._proof.differing("decider_positions", partition)

    def _add(self, team_id: str, key: str, kind: Kind) -> None:
        self._proof.findings.add(
            Difference(table=NAME, key=f"{team_id} {key}".strip(), kind=kind, team_id=team_id)
        )

    def _fail(self, at: TopicPartition, offset: int, reason: str) -> None:
        self._proof.fail_partition(at.topic, at.partition, offset, reason)


def _command_offset(counting: Sequence[Record]) -> int | None:
    return integer_of(counting[0].headers, COMMAND_OFFSET) if counting else None
