"""One partition's loop on a real Postgres: exactly once, in order, and stopped where it must be."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from events.pattern import (
    PatternArchived,
    PatternConflictAbandoned,
    PatternDeleted,
    PatternRecorded,
    stream_of,
)
from events.readers_rule import NO_ONE
from events.record import NewRecord
from events.registry import Event
from projectors.checkpoints import Checkpoint, create, load
from projectors.errors import Broken, Disagreement, Overtaken
from projectors.library import NAME, Library
from projectors.loop import PartitionLoop
from projectors.transaction import SESSION, transaction
from runtime.metrics import VOID_RECORDS
from runtime.postgres import create_engine
from runtime.settings import Settings
from tests.databases import fresh_database, settings_for
from tests.projecting import fetch, migrated
from tests.scribe import LOG_ID, Scribe, detected, edited, resolved
from tests.services import Services

BEGINNING = Checkpoint(next_offset=0, standing=NO_ONE, log_id=LOG_ID, void_records=0)


@dataclass
class Bench:
    """A database with one partition at its beginning, and a log to feed it from."""

    settings: Settings
    engine: AsyncEngine
    log: Scribe

    async def loop(self) -> PartitionLoop:
        """A loop from where the checkpoint is."""
        async with transaction(self.engine) as pg:
            found = await load(pg, NAME, 0)
        assert found is not None
        return PartitionLoop(self.engine, Library(topic="events"), 0, found, lambda _: None)

    async def count(self, table: str) -> int:
        ((count,),) = await fetch(self.settings, f"SELECT count(*) FROM {table}")
        return int(count)

    async def names(self) -> dict[str, str]:
        rows = await fetch(self.settings, "SELECT name_key, pattern_id::text FROM names")
        return {row[0]: row[1] for row in rows}


@pytest.fixture
async def bench(services: Services) -> AsyncIterator[Bench]:
    async with fresh_database(services) as dsn:
        settings = settings_for(services, dsn)
        await migrated(settings)
        engine = create_engine(settings, "test", **SESSION)
        async with transaction(engine) as pg:
            await create(pg, NAME, 0, BEGINNING)
        log = Scribe()
        log.fence()
        yield Bench(settings, engine, log)
        await engine.dispose()


async def test_records_that_come_again_are_applied_once(bench: Bench) -> None:
    team = bench.log.team()
    for number in range(20):
        bench.log.pattern(team, PatternRecorded(fields={"name": f"n{number}"}))
    loop = await bench.loop()
    await loop.feed(bench.log.records[:12])
    await loop.feed(bench.log.records[5:18])
    await loop.feed(bench.log.records[:3])
    await loop.feed(bench.log.records)
    assert await bench.count("history") == 20
    assert await fetch(bench.settings, "SELECT last_sequence, event_count FROM projected_logs") == [(21, 21)]


async def test_a_loop_that_begins_at_a_checkpoint_goes_on_as_if_it_had_never_stopped(bench: Bench) -> None:
    team = bench.log.team()
    pattern = bench.log.pattern(team, PatternRecorded(fields={"name": "n"}))
    await (await bench.loop()).feed(bench.log.records)
    bench.log.fence(writer="second")
    bench.log.pattern(team, edited(1, name="m"), pattern)
    await (await bench.loop()).feed(bench.log.records)
    assert await bench.names() == {"m": pattern}
    assert (await bench.loop()).checkpoint.standing == bench.log.standing


async def test_of_two_loops_at_the_same_checkpoint_one_applies_the_batch(bench: Bench) -> None:
    bench.log.team()
    loops = [await bench.loop(), await bench.loop()]
    results = await asyncio.gather(*(loop.feed(bench.log.records) for loop in loops), return_exceptions=True)
    assert sorted(map(type, results), key=str) == [type(None), Overtaken]
    assert await bench.count("heads") == 1


async def test_a_loop_whose_checkpoint_was_moved_by_another_applies_nothing(bench: Bench) -> None:
    team = bench.log.team()
    late = await bench.loop()
    await (await bench.loop()).feed(bench.log.records)
    bench.log.pattern(team, PatternRecorded(fields={"name": "n"}))
    with pytest.raises(Overtaken):
        await late.feed(bench.log.records)
    assert await bench.count("history") == 0


async def test_two_projectors_that_begin_at_once_agree_on_the_first_checkpoint(bench: Bench) -> None:
    async def begin(offset: int) -> None:
        async with transaction(bench.engine) as pg:
            await create(pg, "other", 0, replace(BEGINNING, next_offset=offset))

    await asyncio.gather(*(begin(offset) for offset in range(4)))
    assert await bench.count("checkpoints WHERE projection = 'other'") == 1


async def test_void_records_are_passed_over_counted_and_kept_count_of(bench: Bench) -> None:
    counted = VOID_RECORDS.labels("events", 0)
    before = counted._value.get()
    bench.log.team()
    for _ in range(3):
        bench.log.void(bench.log.records[1])
    bench.log.write(NewRecord(key=None, value=b"rubbish", headers={}))
    team = bench.log.team("Second")
    loop = await bench.loop()
    await loop.feed(bench.log.records)
    assert await fetch(bench.settings, "SELECT void_records, next_offset FROM checkpoints") == [(4, 7)]
    assert counted._value.get() - before == 4
    assert await bench.count(f"heads WHERE team_id = '{team}'") == 1


async def test_a_batch_of_nothing_that_counts_moves_the_checkpoint(bench: Bench) -> None:
    loop = await bench.loop()
    await loop.feed(bench.log.records)
    bench.log.write(NewRecord(key=None, value=None, headers={}))
    await loop.feed(bench.log.records)
    assert (await bench.loop()).checkpoint == loop.checkpoint
    assert loop.checkpoint.next_offset == 2


async def test_records_before_a_broken_one_are_applied_and_none_after_it(bench: Bench) -> None:
    team = bench.log.team()
    bench.log.pattern(team, PatternRecorded(fields={"name": "before"}))
    bench.log.pattern(team, PatternRecorded(fields={"name": "skipped"}))
    bench.log.pattern(team, PatternRecorded(fields={"name": "after"}))
    missing = [record for record in bench.log.records if record.offset != 3]
    loop = await bench.loop()
    with pytest.raises(Broken) as broken:
        await loop.feed(missing)
    assert broken.value.offset == 4
    assert set(await bench.names()) == {"before"}
    assert (await bench.loop()).checkpoint.next_offset == loop.checkpoint.next_offset == 3


async def test_of_several_broken_records_the_first_one_stops_the_partition(bench: Bench) -> None:
    team = bench.log.team()
    pattern = bench.log.pattern(team, PatternRecorded(fields={"name": "n"}))
    bench.log.command(team, (stream_of(pattern), PatternArchived()), version=7)
    bench.log.counting(NewRecord(key=b"x", value=b"y", headers={}))
    with pytest.raises(Broken) as broken:
        await (await bench.loop()).feed(bench.log.records)
    assert broken.value.offset == 3
    assert (await bench.loop()).checkpoint.next_offset == 3


async def test_a_version_that_does_not_follow_the_stored_head_stops_the_partition(bench: Bench) -> None:
    team = bench.log.team()
    pattern = bench.log.pattern(team, PatternRecorded(fields={"name": "n"}))
    loop = await bench.loop()
    await loop.feed(bench.log.records)
    bench.log.command(team, (stream_of(pattern), PatternArchived()), version=3)
    with pytest.raises(Broken, match="version 3"):
        await loop.feed(bench.log.records)
    assert await bench.names() == {"n": pattern}


async def test_part_of_a_command_is_held_back_until_the_rest_comes(bench: Bench) -> None:
    team = bench.log.team()
    stream = stream_of(bench.log.new_id())
    events: list[Event] = [PatternRecorded(fields={"name": "n"}), PatternArchived(), PatternDeleted()]
    bench.log.command(team, *((stream, event) for event in events))
    loop = await bench.loop()
    await loop.feed(bench.log.records[:3])
    assert (loop.checkpoint.next_offset, loop.read_to) == (2, 3)
    await loop.feed(bench.log.records[3:4])
    assert (loop.checkpoint.next_offset, loop.read_to) == (2, 4)
    assert await bench.count("history") == 0
    await loop.feed(bench.log.records[4:])
    assert (loop.checkpoint.next_offset, loop.read_to) == (5, 5)
    assert await bench.count("history") == 3


async def test_a_name_changes_hands_within_one_batch(bench: Bench) -> None:
    team = bench.log.team()
    one = bench.log.pattern(team, PatternRecorded(fields={"name": "x"}))
    two = bench.log.pattern(team, PatternRecorded(fields={"name": "y"}))
    loop = await bench.loop()
    await loop.feed(bench.log.records)
    for pattern, name, base in ((one, "z", 1), (two, "x", 1), (one, "y", 2)):
        bench.log.pattern(team, edited(base, name=name), pattern)
    await loop.feed(bench.log.records)
    assert await bench.names() == {"x": two, "y": one}
    bench.log.pattern(team, PatternDeleted(), two)
    three = bench.log.pattern(team, PatternRecorded(fields={"name": "x"}))
    await loop.feed(bench.log.records)
    assert await bench.names() == {"x": three, "y": one}


async def test_tags_and_categories_of_any_characters_survive_an_update(bench: Bench) -> None:
    team = bench.log.team()
    tags = ['a"b', "c\\d", "{e,f}", " g ", "NULL", "\u00e9\n\t"]
    pattern = bench.log.pattern(team, PatternRecorded(fields={"name": "n"}))
    loop = await bench.loop()
    await loop.feed(bench.log.records)
    changed = {"tags": tags, "category": "\\N", "severity": "medium"}
    bench.log.pattern(team, edited(1, **changed), pattern)
    await loop.feed(bench.log.records)
    rows = await fetch(bench.settings, "SELECT tags, category, severity, cardinality(facets) FROM patterns")
    assert rows == [(tags, "\\N", 2, 8)]


async def in_conflict(bench: Bench, *conflict_ids: str) -> tuple[str, str, PartitionLoop]:
    """A team's pattern with open conflicts, projected; and the loop that goes on."""
    team = bench.log.team()
    pattern = bench.log.pattern(team, PatternRecorded(fields={"name": "n"}))
    for conflict_id in conflict_ids:
        bench.log.pattern(team, detected(conflict_id, severity="high"), pattern)
    loop = await bench.loop()
    await loop.feed(bench.log.records)
    return team, pattern, loop


async def test_conflicts_end_in_later_batches(bench: Bench) -> None:
    one, two, three, four = (bench.log.new_id() for _ in range(4))
    team, pattern, loop = await in_conflict(bench, one, two, three)
    rows = "SELECT conflict_id::text, status, closing::json ->> 'version' FROM conflicts ORDER BY sequence"
    assert await fetch(bench.settings, rows) == [
        (one, "open", None),
        (two, "open", None),
        (three, "open", None),
    ]
    bench.log.pattern(team, resolved(one, 4, severity="low"), pattern)
    await loop.feed(bench.log.records)
    assert (await fetch(bench.settings, rows))[0] == (one, "resolved", "5")
    bench.log.pattern(team, detected(four, severity="high"), pattern)
    bench.log.pattern(team, PatternConflictAbandoned(conflict_id=two), pattern)
    bench.log.pattern(team, PatternDeleted(), pattern)
    await loop.feed(bench.log.records)
    assert await fetch(bench.settings, rows) == [
        (one, "resolved", "5"),
        (two, "abandoned", "7"),
        (three, "deleted", "8"),
        (four, "deleted", "8"),
    ]


@pytest.mark.parametrize("spoilt", ["DELETE FROM conflicts", "UPDATE conflicts SET status = 'abandoned'"])
async def test_a_conflict_that_is_not_open_in_the_tables_stops_the_partition(
    bench: Bench, spoilt: str
) -> None:
    team, pattern, loop = await in_conflict(bench, conflict := bench.log.new_id())
    await fetch(bench.settings, spoilt)
    bench.log.pattern(team, PatternConflictAbandoned(conflict_id=conflict), pattern)
    with pytest.raises(Disagreement, match="UPDATE conflicts"):
        await loop.feed(bench.log.records)


async def test_a_row_that_someone_removed_stops_the_partition(bench: Bench) -> None:
    team = bench.log.team()
    pattern = bench.log.pattern(team, PatternRecorded(fields={"name": "n"}))
    loop = await bench.loop()
    await loop.feed(bench.log.records)
    await fetch(bench.settings, "DELETE FROM changes")
    bench.log.pattern(team, PatternArchived(), pattern)
    with pytest.raises(Disagreement):
        await loop.feed(bench.log.records)
    assert await bench.names() == {"n": pattern}


async def test_a_team_of_another_partition_stops_the_partition(bench: Bench) -> None:
    team = bench.log.team()
    loop = await bench.loop()
    await loop.feed(bench.log.records)
    await fetch(bench.settings, "UPDATE projected_logs SET partition = 1")
    bench.log.pattern(team, PatternRecorded(fields={"name": "n"}))
    with pytest.raises(Disagreement, match="partition 1"):
        await loop.feed(bench.log.records)
