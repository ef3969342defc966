"""One stream's rows made anew from the log, in place, while projectors and deciders work.

The log is read first. Then one transaction holds the partition's checkpoint, so that no projector writes
meanwhile, reads what was projected since, and puts every row of the stream right. A decider learns of it by
the count beside the checkpoint, and takes its partition anew: its memory was built on the rows as they were.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, TopicPartition
from asyncpg import Connection

from events.pattern import pattern_id_of
from projectors.chain import TeamLog
from projectors.checkpoints import Checkpoint, count_repair, load, lock
from projectors.comparison import load_all_logs
from projectors.errors import Broken, ProjectionError
from projectors.fold import Fold, PartitionWalk
from projectors.generations import live, live_schema
from projectors.library import NAME
from projectors.log_reading import read_records
from projectors.proven import PROVEN, Proven
from projectors.reader import open_reader, read_bounds
from projectors.rows import Row, add, arrays
from projectors.team_logs import save_logs
from projectors.transaction import SESSION, transaction
from runtime.log_setup import check_log
from runtime.postgres import create_engine
from runtime.settings import Settings
from runtime.topics import Topics, partition_of

Advance = Callable[[str, int, int], None]

_CLIENT = "patternlog-repair"
_FEW = 2_000
"""Records that are read while the checkpoint is held: a projector that waits for 3 s ends who holds it."""


class NotRepairable(ProjectionError):
    """Rows cannot be made from the log as it is, or more than one stream's are wrong."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Repaired:
    """A row that was put right: as it was and as it is, None where it was or is not there."""

    table: str
    key: str
    before: Row | None
    after: Row | None


async def repair(settings: Settings, team_id: str, stream: str, advance: Advance) -> list[Repaired]:
    """Put the rows of a stream right; return those that were wrong. Raise `NotRepairable`."""
    identity = await check_log(settings)
    partition = partition_of(team_id, settings.log_partitions)
    at = TopicPartition(Topics(settings.topic_prefix).events, partition)
    schema = await live_schema(settings, NAME)
    engine = create_engine(settings, _CLIENT, **SESSION, search_path=schema)
    try:
        async with open_reader(settings, _CLIENT, at) as reader:
            stream_log = _StreamLog(settings, reader, at, identity.log_ids, team_id, stream)
            while True:
                async with transaction(engine) as pg:
                    checkpoint = await load(pg, NAME, partition)
                await stream_log.read_to(checkpoint, advance)
                async with transaction(engine) as pg:
                    checkpoint = await lock(pg, NAME, partition)
                    if (await live(pg, NAME)).schema != schema:
                        raise NotRepairable("another generation became live meanwhile: run it again")
                    if checkpoint and checkpoint.next_offset - stream_log.next_offset > _FEW:
                        continue
                    await stream_log.read_to(checkpoint, advance)
                    stream_log.check(checkpoint)
                    return await _Rewriting(pg, partition, stream_log).run()
    finally:
        await engine.dispose()


class _StreamLog:
    """What the log says of one stream, and of its team's log."""

    def __init__(
        self,
        settings: Settings,
        reader: AIOKafkaConsumer,
        at: TopicPartition,
        log_ids: Sequence[str],
        team_id: str,
        stream: str,
    ) -> None:
        self.team_id = team_id
        self.stream = stream
        self.log_id = log_ids[0]
        self.rows: dict[str, list[Row]] = {table.name: [] for table in PROVEN}
        self._settings = settings
        self._reader = reader
        self._at = at
        self._walk = PartitionWalk(at.partition, log_ids)
        self._fold = Fold(self._walk.links, log_ids, self._is_wanted, PROVEN)

    @property
    def next_offset(self) -> int:
        """How far it was read."""
        return self._walk.reached.next_offset

    @property
    def team_log(self) -> TeamLog | None:
        """How far the team's log goes; None where it has no events."""
        return self._walk.links.logs().get(self.team_id)

    async def read_to(self, checkpoint: Checkpoint | None, advance: Advance) -> None:
        """Read on up to the checkpoint."""
        end = checkpoint.next_offset if checkpoint else 0
        bounds = (await read_bounds(self._reader, self._at.topic, [self._at.partition]))[self._at.partition]
        if bounds.begin > 0 or end > bounds.end:
            raise NotRepairable(f"the log is not whole: {bounds.outside(end)}")
        try:
            async for records in read_records(self._settings, self._reader, self._at, self.next_offset, end):
                self._fold.apply(self._walk.read(records))
                for table in PROVEN:
                    if table.appended:
                        self.rows[table.name] += self._fold.rows(table)
                advance(f"events {self._at.partition}", self.next_offset, end)
        except Broken as broken:
            raise NotRepairable(f"the log cannot be followed: {broken}") from broken

    def check(self, checkpoint: Checkpoint | None) -> None:
        """Raise `NotRepairable` unless the log is sound, and the checkpoint what it comes to."""
        for fault in self._walk.links.faults:
            if fault.team_id == self.team_id:
                raise NotRepairable(f"the log itself is broken, at sequence {fault.sequence}: {fault}")
        if checkpoint is None or self._walk.reached != checkpoint or not self._walk.links.is_whole:
            raise NotRepairable(
                f"the checkpoint of partition {self._at.partition} is not what the log comes to there"
            )
        for table in PROVEN:
            if not table.appended:
                self.rows[table.name] = self._fold.rows(table)

    def _is_wanted(self, team_id: str, stream: str) -> bool:
        return (team_id, stream) == (self.team_id, self.stream)


class _Rewriting:
    """The transaction that puts rows right."""

    def __init__(self, pg: Connection, partition: int, log: _StreamLog) -> None:
        self._pg = pg
        self._partition = partition
        self._log = log
        self._repaired: list[Repaired] = []

    async def run(self) -> list[Repaired]:
        """Remove what is wrong from every table, then add what is right."""
        missing = [(table, await self._remove_wrong(table)) for table in PROVEN]
        for table, rows in missing:
            await add(self._pg, table.name, table.columns, rows)
        await self._put_log_right()
        if self._repaired:
            await count_repair(self._pg, NAME, self._partition)
        return self._repaired

    async def _remove_wrong(self, table: Proven) -> list[Row]:
        """Remove the stream's rows that are wrong, and what stands in the way of right ones; return those."""
        wanted = {table.key_of(row): row for row in self._log.rows[table.name]}
        found = {table.key_of(row): row for row in await self._rows_of(table, list(wanted.values()))}
        wrong = [key for key, row in found.items() if wanted.get(key) != row]
        missing = [key for key, row in wanted.items() if found.get(key) != row]
        for key in dict.fromkeys([*wrong, *missing]):
            self._note(table.name, key, found.get(key), wanted.get(key))
        names = [column.name for column in table.table.primary_key]
        if wrong:
            same = " AND ".join(f"t.{name} = k.{name}" for name in names)
            statement = f"DELETE FROM {table.name} AS t USING {table.unnested(names)} WHERE {same}"  # noqa: S608
            await self._pg.execute(statement, *arrays(wrong))
        return [wanted[key] for key in missing]

    async def _rows_of(self, table: Proven, wanted: Sequence[Row]) -> list[Row]:
        """The rows of the stream, and those that hold what is to be unique to one of its rows."""
        found: list[Row] = []
        select = f"SELECT {table.selected} FROM {table.name}"  # noqa: S608 - our constants
        if (condition := self._condition(table)) is not None:
            statement = f"{select} WHERE {table.log} = $1{condition[0]}"
            found += [
                tuple(row) for row in await self._pg.fetch(statement, self._log.team_id, *condition[1:])
            ]
        for names in table.unique() if wanted else ():
            listed = ", ".join(names)
            statement = f"{select} WHERE ({listed}) IN (SELECT {listed} FROM {table.unnested(names)})"  # noqa: S608
            places = table.places(names)
            keys = arrays(tuple(row[place] for place in places) for row in wanted)
            found += [tuple(row) for row in await self._pg.fetch(statement, *keys)]
        return found

    def _condition(self, table: Proven) -> tuple[str, ...] | None:
        """What picks the stream's rows among the log's, and its argument; None where the table has none."""
        stream = self._log.stream
        if table.of is not None:
            return ("",) if table.of == stream else None
        if "stream" in table.columns:
            return (" AND stream = $2", stream)
        pattern_id = pattern_id_of(stream)
        return None if pattern_id is None else (" AND pattern_id = $2", pattern_id)

    async def _put_log_right(self) -> None:
        """The team's row of `projected_logs`, which is no stream's, is checked along."""
        team_id, log = self._log.team_id, self._log.team_log
        found = (await load_all_logs(self._pg)).get(team_id)
        wanted = None if log is None else (self._partition, log)
        if found == wanted:
            return
        self._note("projected_logs", (team_id,), _row_of(found), _row_of(wanted))
        await self._pg.execute(
            "DELETE FROM projected_logs WHERE projection = $1 AND team_id = $2",
            *(NAME, team_id),
        )
        if log is not None:
            await save_logs(self._pg, NAME, self._partition, self._log.log_id, {team_id: log})

    def _note(self, table: str, key: Row, before: Row | None, after: Row | None) -> None:
        self._repaired.append(Repaired(table=table, key=" ".join(map(str, key)), before=before, after=after))


def _row_of(log: tuple[int, TeamLog] | None) -> Row | None:
    if log is None:
        return None
    partition, at = log
    return (partition, at.last_sequence, at.event_count, at.last_hash)
