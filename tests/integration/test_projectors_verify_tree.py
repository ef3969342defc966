"""The stored tree is held against the log at every level, be the rows of other tables compared or not."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import pytest

from events.pattern import PatternRecorded
from projectors.sample import Rows, Sample
from projectors.verify import verify
from runtime.settings import Settings
from tests.projecting import caught_up, copied_database, events_log, fetch, fresh_log, projecting
from tests.services import Services

EVENTS = 600
"""Two complete tiles, and edges of two levels."""
LEVELS = [(Rows.NONE, None), (Rows.SAMPLE, Sample(share=0.1, seed="s")), (Rows.FULL, None)]
STRANGER = "0190a5d0-0000-7000-8000-0000000000ff"
FORGED = "overlay(hashes PLACING decode(repeat('00', 32), 'hex') FROM {first} FOR 32)"


@dataclass
class Told:
    """A team whose log has 600 events."""

    settings: Settings
    team: str


@pytest.fixture(scope="module")
async def original(services: Services) -> AsyncIterator[Told]:
    async with fresh_log(services) as settings:
        log = await events_log(settings)
        team = log.scribe.team()
        for number in range(EVENTS - 1):
            log.scribe.pattern(team, PatternRecorded(fields={"name": f"n{number}"}))
        end = await log.publish()
        async with projecting(settings):
            await caught_up(settings, end)
            await caught_up(settings, 1, partition=1)
        yield Told(settings, team)


@pytest.fixture
async def told(original: Told) -> AsyncIterator[Told]:
    async with copied_database(original.settings) as settings:
        yield replace(original, settings=settings)


@pytest.mark.parametrize(("rows", "sample"), LEVELS)
async def test_a_tree_that_is_what_the_log_makes_is_compared_whole(
    told: Told, rows: Rows, sample: Sample | None
) -> None:
    report = await verify(told.settings, rows=rows, sample=sample)
    assert report.is_equal
    assert report.rows.items() >= {"tiles": 2, "tree_edges": 2}.items()


@pytest.mark.parametrize(("rows", "sample"), LEVELS)
@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        (
            f"UPDATE tiles SET hashes = {FORGED.format(first=32 * 9 + 1)} WHERE level = 0 AND index = 1",
            ("tiles", "altered", 256 + 10),
        ),
        ("DELETE FROM tiles WHERE level = 0 AND index = 1", ("tiles", "missing", 257)),
        (
            f"UPDATE tree_edges SET hashes = {FORGED.format(first=32 * 3 + 1)} WHERE level = 0",
            ("tree_edges", "altered", 512 + 4),
        ),
        (
            f"UPDATE tree_edges SET hashes = {FORGED.format(first=33)} WHERE level = 1",
            ("tree_edges", "altered", 257),
        ),
        ("UPDATE tree_edges SET index = 7 WHERE level = 0", ("tree_edges", "altered", 513)),
        ("DELETE FROM tree_edges WHERE level = 0", ("tree_edges", "missing", 513)),
        (
            "INSERT INTO tiles SELECT team_id, level, 2, hashes FROM tiles WHERE index = 0",
            ("tiles", "added", None),
        ),
        (
            "INSERT INTO tree_edges SELECT team_id, 2, 0, hashes FROM tree_edges WHERE level = 0",
            ("tree_edges", "added", None),
        ),
    ],
)
async def test_a_hash_that_is_not_what_the_log_makes_is_found_at_the_event_that_it_is_of(
    told: Told, rows: Rows, sample: Sample | None, statement: str, expected: tuple[str, str, int | None]
) -> None:
    await fetch(told.settings, statement)
    (difference,) = (await verify(told.settings, rows=rows, sample=sample)).differences
    assert (difference.table, difference.kind, difference.sequence) == expected
    assert difference.team_id == told.team


@pytest.mark.parametrize("table", ["tiles", "tree_edges"])
async def test_a_tree_of_a_team_without_a_log_is_found(told: Told, table: str) -> None:
    await fetch(
        told.settings,
        f"INSERT INTO {table} SELECT '{STRANGER}', level, index, hashes FROM {table} WHERE index = 0",
    )
    (difference,) = (await verify(told.settings, rows=Rows.NONE)).differences
    assert (difference.table, difference.kind, difference.team_id) == (table, "added", STRANGER)
