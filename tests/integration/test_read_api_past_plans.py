"""At 100,000 patterns in a team, each with several versions, reads of the past use indexes, too."""

from collections.abc import AsyncIterator
from datetime import timedelta
from itertools import product
from typing import Any, get_args

import asyncpg
import pytest

from events.cursor import Cursor
from read_api import conflicts, diff, history, patterns, points
from read_api.pattern_list import PatternsQuery, SortName, list_statement
from tests.large_library import (
    BEGINNING,
    LARGE,
    LONG,
    ROUNDS,
    ROUNDS_END,
    SIZE,
    VERSIONS,
    large_database,
    reading,
)
from tests.plans import Plan, plan_of
from tests.services import Services

pytestmark = pytest.mark.timeout(600)

LIMIT = 100
POINTS = [LIMIT, SIZE // 2, SIZE, SIZE * 3 // 2, SIZE * 5 // 2, ROUNDS_END]
"""In a library that grows, is changed as a whole, gets other names as a whole, and is changed again."""
OF_A_PATTERN = 2 * ROUNDS
"""Rows that a pattern may take: its versions, and to each the one that follows."""
LITTLE = OF_A_PATTERN * SIZE // 20
"""Rows that a filtered list may look at: far from the team's."""


@pytest.fixture(scope="module")
async def pg(services: Services) -> AsyncIterator[asyncpg.Connection]:
    async with large_database(services) as engine, reading(engine) as pg:
        yield pg


def point(sequence: int) -> Cursor:
    return Cursor(log_id=LARGE, team_id=LARGE, sequence=sequence)


async def plan_of_list(pg: asyncpg.Connection, at: int, **query: Any) -> Plan:
    asked = PatternsQuery(limit=LIMIT, **query)
    statement, arguments = list_statement(LARGE, asked, None, point(at))
    return await plan_of(pg, statement, LARGE, asked.limit, *arguments)


@pytest.mark.parametrize("sort", ["name", "-name", "-updated"])
@pytest.mark.parametrize("at", POINTS)
async def test_a_page_reads_versions_of_what_it_shows(
    pg: asyncpg.Connection, sort: SortName, at: int
) -> None:
    for status in ("live", "any"):
        plan = await plan_of_list(pg, at, sort=sort, status=status)
        # Patterns that have gone from the page's range of names by then are passed over, too.
        assert plan.examined <= 2 * OF_A_PATTERN * (LIMIT + 2), status
        assert (plan.scanned, plan.sorted <= LIMIT) == (set(), True), status


@pytest.mark.parametrize("at", POINTS)
async def test_oldest_changes_first_what_was_changed_again_is_passed_over(
    pg: asyncpg.Connection, at: int
) -> None:
    plan = await plan_of_list(pg, at, sort="updated")
    assert plan.indexes >= {"ix_history_sequence", "pk_history"}
    again = (at - 1) // SIZE * SIZE if at > SIZE else 0
    assert plan.examined <= 2 * again + OF_A_PATTERN * (LIMIT + 1)
    assert (plan.scanned, plan.sorted) == (set(), 0)


@pytest.mark.parametrize(
    "wanted",
    [
        {"tag": "rare 77"},
        {"tag": "no one has it"},
        {"tag": "common"},
        {"category": "rare"},
        {"category": "category 7"},
        {"severity": "critical"},
        {"severity": "high", "tag": "common"},
    ],
    ids=str,
)
async def test_a_filtered_page_looks_at_little(pg: asyncpg.Connection, wanted: dict[str, Any]) -> None:
    for at, sort, status in product(POINTS, ["name", "-name", "-updated"], ["live", "any"]):
        plan = await plan_of_list(pg, at, sort=sort, status=status, **wanted)
        assert plan.scanned == set(), (at, sort, status)
        assert plan.examined <= LITTLE, (at, sort, status)
        assert plan.sorted <= LITTLE, (at, sort, status)


@pytest.mark.parametrize("sort", get_args(SortName))
async def test_a_rare_filter_looks_at_versions_of_what_it_finds(
    pg: asyncpg.Connection, sort: SortName
) -> None:
    for at in POINTS:
        plan = await plan_of_list(pg, at, sort=sort, tag="rare 77")
        assert "ix_history_facets" in plan.indexes
        assert plan.examined <= OF_A_PATTERN * 10


async def test_a_name_is_found_by_an_index(pg: asyncpg.Connection) -> None:
    names = await pg.fetch("SELECT DISTINCT name FROM history WHERE team_id = $1 LIMIT 5", LARGE)
    for at, (name,) in product(POINTS, names):
        plan = await plan_of_list(pg, at, name=name)
        assert plan.scanned == set()
        assert plan.examined <= 2 * OF_A_PATTERN


async def test_one_pattern_is_found_in_its_key(pg: asyncpg.Connection) -> None:
    for later in (0, VERSIONS // 2, VERSIONS - 1):
        plan = await plan_of(pg, patterns.ONE_AT, LARGE, LONG, ROUNDS_END + VERSIONS - later)
        assert (plan.scanned, plan.sorted, plan.indexes >= {"pk_history"}) == (set(), 0, True)
        # Versions after the point are passed over in the key, without their rows.
        assert plan.examined <= later + 2


async def test_a_history_reads_its_page_and_passes_over_what_came_later(pg: asyncpg.Connection) -> None:
    later = VERSIONS // 2
    for order in get_args(history.Order):
        place = history.BEFORE_FIRST[order]
        statement = history.STATEMENTS_AT[order]
        plan = await plan_of(pg, statement, LARGE, LIMIT, LONG, *place, ROUNDS_END + VERSIONS - later)
        assert (plan.scanned, plan.sorted) == (set(), 0)
        assert plan.examined <= LIMIT + 1 + later + 1


async def test_a_time_is_one_row(pg: asyncpg.Connection) -> None:
    for seconds in (-1, SIZE, ROUNDS_END, 2 * ROUNDS_END):
        plan = await plan_of(pg, points.AT, LARGE, BEGINNING + timedelta(seconds=seconds))
        assert plan.indexes >= {"ix_history_latest"}
        assert (plan.scanned, plan.sorted <= 1, plan.examined <= 1) == (set(), True, True)


@pytest.mark.parametrize(
    ("begin", "end"),
    [(0, SIZE // 2), (SIZE, SIZE + 50), (SIZE, SIZE * 3), (ROUNDS_END - 500, ROUNDS_END), (0, ROUNDS_END)],
)
async def test_a_diff_reads_what_happened_between_its_points(
    pg: asyncpg.Connection, begin: int, end: int
) -> None:
    until = min(begin + diff.MAX_EVENTS, end)
    plan = await plan_of(pg, diff.STATEMENT, LARGE, LIMIT, begin, end, begin, until)
    assert plan.indexes >= {"ix_history_sequence", "pk_history"}
    assert plan.scanned == set()
    again = until - begin if end - begin > SIZE else 0
    assert plan.examined <= 2 * again + OF_A_PATTERN * (LIMIT + 1)


@pytest.mark.parametrize("status", get_args(conflicts.Status))
async def test_conflicts_are_walked_in_their_order_up_to_the_point(
    pg: asyncpg.Connection, status: conflicts.Status
) -> None:
    for at, pattern_id in product([LIMIT, SIZE // 2, SIZE + VERSIONS], [None, LONG]):
        asked = conflicts.ConflictsQuery(limit=LIMIT // 2, status=status, pattern_id=pattern_id)
        statement, arguments = conflicts.list_statement(asked, 0, point(at))
        plan = await plan_of(pg, statement, LARGE, asked.limit, *arguments)
        # Among open ones those that had ended by then are passed over.
        wanted = at if status == "open" else LIMIT // 2 + len(get_args(conflicts.Status))
        assert (plan.scanned, plan.sorted) == (set(), 0)
        assert plan.examined <= wanted
