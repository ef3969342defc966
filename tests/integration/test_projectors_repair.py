"""`repair` puts the rows of one stream right, and tells the decider."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import asyncpg
import pytest

from command_api.decider.memory import Memory, RowsRepaired
from command_api.decider.snapshot import Snapshot, Wanted, read_snapshot
from events.pattern import PatternDeleted, PatternRecorded
from projectors.repair import NotRepairable, Repaired, repair
from projectors.verify import verify
from runtime.postgres import create_engine
from runtime.settings import Settings
from tests.logs import tampered_log
from tests.projecting import (
    TopicLog,
    caught_up,
    copied_database,
    events_log,
    fetch,
    fresh_log,
    projecting,
)
from tests.scribe import detected, edited
from tests.services import Services

STRANGER = "0190a5d0-0000-7000-8000-0000000000ff"
CONFLICT = "0190a5d0-0000-7000-8000-0000000000cc"


@dataclass
class Told:
    """A team with two patterns, the second of which has been in conflict."""

    settings: Settings
    log: TopicLog
    team: str
    other: str
    pattern: str

    @property
    def stream(self) -> str:
        return f"patterns/{self.pattern}"

    async def repair(self, stream: str | None = None) -> list[Repaired]:
        return await repair(self.settings, self.team, stream or self.stream, lambda *_: None)


async def tell(settings: Settings) -> Told:
    log = await events_log(settings)
    team = log.scribe.team()
    other = log.scribe.pattern(team, PatternRecorded(fields={"name": "other"}))
    pattern = log.scribe.pattern(team, PatternRecorded(fields={"name": "n", "tags": ["t"]}))
    log.scribe.pattern(team, edited(1, name="m"), pattern)
    log.scribe.pattern(team, detected(CONFLICT, name="mine"), pattern)
    log.scribe.pattern(team, edited(1, x=1), other)
    await project(settings, await log.publish())
    return Told(settings, log, team, other, pattern)


async def project(settings: Settings, end: int) -> None:
    async with projecting(settings):
        await caught_up(settings, end)


@pytest.fixture(scope="module")
async def original(services: Services) -> AsyncIterator[Told]:
    # All teams live in partition 0 of a log that has no other.
    async with fresh_log(services, log_partitions=1) as settings:
        yield await tell(settings)


@pytest.fixture
async def told(original: Told) -> AsyncIterator[Told]:
    async with copied_database(original.settings) as settings:
        yield replace(original, settings=settings)


@pytest.mark.parametrize(
    ("statement", "tables"),
    [
        ("UPDATE heads SET state = '{{}}', version = 9 WHERE stream = '{stream}'", {"heads"}),
        ("DELETE FROM heads WHERE stream = '{stream}'", {"heads"}),
        ("UPDATE names SET name_key = 'x' WHERE pattern_id = '{pattern}'", {"names"}),
        ("UPDATE names SET pattern_id = '{stranger}' WHERE name_key = 'm'", {"names"}),
        ("DELETE FROM names WHERE pattern_id = '{pattern}'", {"names"}),
        ("UPDATE patterns SET name = 'x', facets = '{{}}' WHERE pattern_id = '{pattern}'", {"patterns"}),
        ("DELETE FROM patterns WHERE pattern_id = '{pattern}'", {"patterns"}),
        ("UPDATE changes SET sequence = 99 WHERE pattern_id = '{pattern}'", {"changes"}),
        ("DELETE FROM changes WHERE pattern_id = '{pattern}'", {"changes"}),
        ("UPDATE history SET item = '{{}}' WHERE pattern_id = '{pattern}'", {"history"}),
        ("UPDATE history SET version = 9 WHERE pattern_id = '{pattern}' AND version = 1", {"history"}),
        ("DELETE FROM history WHERE pattern_id = '{pattern}' AND version = 2", {"history"}),
        (
            "INSERT INTO history VALUES ('{team}', '{pattern}', 4, 99, '{{}}', now(), NULL, NULL, '{{}}')",
            {"history"},
        ),
        ("UPDATE conflicts SET status = 'resolved'", {"conflicts"}),
        ("DELETE FROM conflicts", {"conflicts"}),
        ("UPDATE projected_logs SET event_count = 1", {"projected_logs"}),
        ("DELETE FROM projected_logs", {"projected_logs"}),
    ],
)
async def test_the_rows_of_each_table_are_put_right(told: Told, statement: str, tables: set[str]) -> None:
    wrong = statement.format(team=told.team, pattern=told.pattern, stream=told.stream, stranger=STRANGER)
    await fetch(told.settings, wrong)
    assert not (await verify(told.settings)).is_equal
    repaired = await told.repair()
    assert {one.table for one in repaired} == tables
    assert (await verify(told.settings)).differences == []
    assert await told.repair() == []


async def test_a_row_of_another_stream_that_stands_in_the_way_is_removed_and_can_be_repaired(
    told: Told,
) -> None:
    mine, theirs = f"pattern_id = '{told.pattern}'", f"pattern_id = '{told.other}'"
    for change in (f"99 WHERE {mine}", f"5 WHERE {theirs}", f"6 WHERE {mine}"):
        await fetch(told.settings, f"UPDATE changes SET sequence = {change}")
    assert len(await told.repair()) == 2
    assert [one.after is not None for one in await told.repair(f"patterns/{told.other}")] == [True]
    assert (await verify(told.settings)).is_equal


async def test_rows_of_a_stream_that_the_log_does_not_know_are_removed(told: Told) -> None:
    await fetch(told.settings, f"INSERT INTO heads VALUES ('{told.team}', 'patterns/{STRANGER}', 1, '{{}}')")
    repaired = await told.repair(f"patterns/{STRANGER}")
    assert [(one.table, one.after) for one in repaired] == [("heads", None)]
    assert (await verify(told.settings)).is_equal


async def test_the_team_s_own_stream_is_repaired(told: Told) -> None:
    await fetch(told.settings, "DELETE FROM heads WHERE stream = 'team'")
    assert [one.table for one in await told.repair("team")] == ["heads"]
    assert (await verify(told.settings)).is_equal


async def test_nothing_is_repaired_from_a_broken_log(told: Told) -> None:
    await fetch(told.settings, "UPDATE patterns SET name = 'x'")
    before = await fetch(told.settings, "SELECT * FROM patterns ORDER BY pattern_id")
    async with tampered_log(told.settings, f"{told.settings.topic_prefix}-broken-{id(told)}", cut) as broken:
        with pytest.raises(NotRepairable, match="does not name the hash"):
            await repair(broken, told.team, told.stream, lambda *_: None)
    assert await fetch(told.settings, "SELECT * FROM patterns ORDER BY pattern_id") == before


def cut(records: list) -> list:  # type: ignore[type-arg]
    """The log with another actor in its third event."""
    forged = replace(records[4], headers={**records[4].headers, "ce_actor": b"eve"})
    return [*records[:4], forged, *records[5:]]


async def test_nothing_is_repaired_under_a_checkpoint_that_is_wrong(told: Told) -> None:
    await fetch(told.settings, "UPDATE checkpoints SET writer = 'other' WHERE projection = 'library'")
    with pytest.raises(NotRepairable, match="checkpoint"):
        await told.repair()


async def test_projectors_go_on_after_a_repair_that_they_waited_for(services: Services) -> None:
    async with fresh_log(services, log_partitions=1) as settings:
        told = await tell(settings)
        await fetch(settings, "UPDATE patterns SET name = 'x'")
        async with projecting(settings):
            end = 0
            for number in range(20):
                told.log.scribe.pattern(told.team, edited(3 + number, x=number), told.pattern)
                end, _ = await asyncio.gather(told.log.publish(), told.repair())
            await caught_up(settings, end)
            await told.repair(f"patterns/{told.other}")
        assert (await verify(settings)).differences == []


async def test_a_repair_that_dies_has_changed_nothing(told: Told) -> None:
    await fetch(told.settings, f"DELETE FROM history WHERE pattern_id = '{told.pattern}'")
    holder = await asyncpg.connect(told.settings.postgres_dsn.get_secret_value())
    try:
        async with holder.transaction():
            await holder.execute("LOCK TABLE projected_logs IN ACCESS EXCLUSIVE MODE")
            with pytest.raises(asyncpg.LockNotAvailableError):
                await told.repair()
    finally:
        await holder.close()
    assert [one.kind for one in (await verify(told.settings)).differences] == ["missing"] * 3
    assert len(await told.repair()) == 3


async def snapshot(settings: Settings, stream: tuple[str, str]) -> Snapshot:
    engine = create_engine(settings, "test")
    try:
        return await read_snapshot(engine, 0, Wanted(streams={stream}))
    finally:
        await engine.dispose()


async def test_a_decider_learns_that_its_memory_was_built_on_wrong_rows(told: Told) -> None:
    await fetch(told.settings, f"UPDATE heads SET version = 9 WHERE stream = '{told.stream}'")
    memory, key = Memory(), (told.team, told.stream)
    memory.evict(await snapshot(told.settings, key))
    memory.observe(await snapshot(told.settings, key))
    await told.repair()
    with pytest.raises(RowsRepaired):
        memory.observe(await snapshot(told.settings, key))


async def test_a_repair_that_found_nothing_wrong_disturbs_no_decider(told: Told) -> None:
    memory, key = Memory(), (told.team, told.stream)
    memory.evict(await snapshot(told.settings, key))
    assert await told.repair() == []
    memory.observe(await snapshot(told.settings, key))


async def test_a_deleted_pattern_keeps_no_row_to_query(services: Services) -> None:
    async with fresh_log(services, log_partitions=1) as settings:
        told = await tell(settings)
        told.log.scribe.pattern(told.team, PatternDeleted(), told.pattern)
        await project(settings, await told.log.publish())
        columns = (
            "team_id, pattern_id, version, sequence, archived, name, tags, facets, created_at, updated_at"
        )
        values = f"'{told.team}', '{told.pattern}', 1, 1, false, 'back', '{{}}', '{{}}', now(), now(), '{{}}'"
        await fetch(settings, f"INSERT INTO patterns ({columns}, fields) VALUES ({values})")
        assert [(one.table, one.after) for one in await told.repair()] == [("patterns", None)]
        assert (await verify(settings)).is_equal
