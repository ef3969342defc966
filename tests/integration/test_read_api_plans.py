"""At 100,000 patterns in a team, beside other teams, every query reads little more than it answers."""

from collections.abc import AsyncIterator
from itertools import product
from typing import Any, get_args

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from command_api.decider.snapshot import FIRST, statement
from read_api import blame, changes, conflicts, heads, history, patterns, positions
from read_api.pattern_list import SORTS, PatternsQuery, SortName, list_statement
from tests.large_library import LARGE, LONG, SIZE, VERSIONS, large_database, reading
from tests.plans import Plan, plan_of
from tests.services import Services

pytestmark = pytest.mark.timeout(600)

LIMIT = 100
LITTLE = SIZE // 10
"""Rows that a filtered list may look at: far from the whole team."""


@pytest.fixture(scope="module")
async def engine(services: Services) -> AsyncIterator[AsyncEngine]:
    async with large_database(services) as engine:
        yield engine


@pytest.fixture(scope="module")
async def pg(engine: AsyncEngine) -> AsyncIterator[asyncpg.Connection]:
    async with reading(engine) as pg:
        yield pg


async def plan_of_list(
    pg: asyncpg.Connection, place: tuple[str | int, ...] | None = None, **query: Any
) -> Plan:
    asked = PatternsQuery(limit=LIMIT, **query)
    statement, arguments = list_statement(LARGE, asked, place)
    return await plan_of(pg, statement, LARGE, asked.limit, *arguments)


def place_in_the_middle(sort: SortName) -> tuple[str | int, ...]:
    return ("name 8", LONG) if sort.endswith("name") else (SIZE // 2,)


@pytest.mark.parametrize("sort", get_args(SortName))
@pytest.mark.parametrize("status", ["live", "archived", "any"])
@pytest.mark.parametrize("begins", ["at the start", "in the middle"])
async def test_a_page_without_filters_reads_itself_and_one_row_more(
    pg: asyncpg.Connection, sort: SortName, status: str, begins: str
) -> None:
    place = place_in_the_middle(sort) if begins == "in the middle" else None
    plan = await plan_of_list(pg, place, sort=sort, status=status)
    # Bringing the live and the archived ones together takes the first of each.
    assert plan.examined == LIMIT + (2 if status == "any" else 1)
    assert (plan.scanned, plan.sorted) == (set(), 0)


FILTERS: list[dict[str, Any]] = [
    {"tag": "rare 77"},
    {"tag": "no one has it"},
    {"tag": "tag 7"},
    {"tag": "common"},
    {"category": "rare"},
    {"category": "no one has it"},
    {"category": "category 7"},
    {"severity": "critical"},
    {"severity": "high"},
    {"severity": "high", "category": "category 7"},
    {"severity": "high", "tag": "common"},
    {"severity": "critical", "category": "rare", "tag": "common"},
    {"category": "category 7", "tag": "rare 77"},
]


@pytest.mark.parametrize("wanted", FILTERS, ids=str)
async def test_a_filtered_page_looks_at_little(pg: asyncpg.Connection, wanted: dict[str, Any]) -> None:
    for sort, status in product(get_args(SortName), ["live", "archived", "any"]):
        for place in (None, place_in_the_middle(sort)):
            plan = await plan_of_list(pg, place, sort=sort, status=status, **wanted)
            assert plan.scanned == set(), (sort, status, place)
            assert plan.examined <= LITTLE, (sort, status, place)
            assert plan.sorted <= LITTLE, (sort, status, place)


@pytest.mark.parametrize(
    "wanted", [{"tag": "rare 77"}, {"category": "rare"}, {"severity": "critical"}], ids=str
)
async def test_a_rare_filter_looks_at_what_it_finds(pg: asyncpg.Connection, wanted: dict[str, Any]) -> None:
    for sort in SORTS:
        plan = await plan_of_list(pg, sort=sort, **wanted)
        assert "ix_patterns_facets" in plan.indexes
        assert plan.examined <= 100


@pytest.mark.parametrize("sort", get_args(SortName))
async def test_a_name_is_found_by_an_index(pg: asyncpg.Connection, sort: SortName) -> None:
    name = await pg.fetchval("SELECT name FROM patterns WHERE team_id = $1 LIMIT 1", LARGE)
    for status, severity in product(["live", "archived", "any"], [None, "low"]):
        plan = await plan_of_list(pg, name=name, sort=sort, status=status, severity=severity)
        assert plan.scanned == set()
        assert plan.examined <= 2


@pytest.mark.parametrize("after", [0, SIZE // 2, SIZE - 10, SIZE])
@pytest.mark.parametrize("limit", [100, 5000])
async def test_changes_read_their_page_and_one_row_more(
    pg: asyncpg.Connection, after: int, limit: int
) -> None:
    plan = await plan_of(pg, changes.STATEMENT, LARGE, limit, after)
    assert plan.indexes >= {"ix_changes_sequence"}
    assert (plan.scanned, plan.sorted) == (set(), 0)
    assert plan.examined == min(limit + 1, SIZE - after)


async def test_a_history_reads_its_page_and_one_row_more(pg: asyncpg.Connection) -> None:
    places: list[tuple[history.Order, int]] = [
        ("asc", 0),
        ("asc", 150),
        ("desc", 2**63 - 1),
        ("desc", VERSIONS),
    ]
    for order, place in places:
        statement = history.STATEMENTS[order]
        plan = await plan_of(pg, statement, LARGE, LIMIT, LONG, place)
        assert (plan.scanned, plan.sorted, plan.examined) == (set(), 0, LIMIT + 1)


async def plan_of_conflicts(pg: asyncpg.Connection, after: int, **query: Any) -> Plan:
    asked = conflicts.ConflictsQuery(limit=LIMIT // 2, **query)
    statement, arguments = conflicts.list_statement(asked, after)
    return await plan_of(pg, statement, LARGE, asked.limit, *arguments)


@pytest.mark.parametrize("status", get_args(conflicts.Status))
@pytest.mark.parametrize("after", [0, SIZE // 2])
async def test_conflicts_read_their_page_and_one_row_more(
    pg: asyncpg.Connection, status: str, after: int
) -> None:
    for pattern_id in (None, LONG):
        plan = await plan_of_conflicts(pg, after, status=status, pattern_id=pattern_id)
        # Bringing the four of them together takes the first of each.
        assert plan.examined == LIMIT // 2 + (4 if status == "any" else 1)
        assert (plan.scanned, plan.sorted) == (set(), 0)


async def test_a_pattern_without_conflicts_is_found_to_have_none(pg: asyncpg.Connection) -> None:
    for status in get_args(conflicts.Status):
        plan = await plan_of_conflicts(pg, 0, status=status, pattern_id=LARGE)
        assert (plan.scanned, plan.examined) == (set(), 0)


async def test_one_conflict_is_one_row(pg: asyncpg.Connection) -> None:
    conflict_id = await pg.fetchval(
        "SELECT conflict_id::text FROM conflicts WHERE team_id = $1 LIMIT 1", LARGE
    )
    plan = await plan_of(pg, conflicts.ONE, LARGE, conflict_id)
    assert (plan.scanned, plan.sorted, plan.examined) == (set(), 0, 1)


async def test_a_blame_reads_its_pages_and_the_events_that_it_names(pg: asyncpg.Connection) -> None:
    pattern_id = await pg.fetchval("SELECT pattern_id::text FROM patterns WHERE team_id = $1 LIMIT 1", LARGE)
    plan = await plan_of(pg, heads.STATEMENT, LARGE, ["team", f"patterns/{pattern_id}"])
    assert (plan.scanned, plan.examined) == (set(), 1)
    plan = await plan_of(pg, blame.EDITS, LARGE, LIMIT, LONG, VERSIONS)
    assert (plan.scanned, plan.sorted, plan.examined) == (set(), 0, LIMIT + 1)
    plan = await plan_of(pg, blame.EVENTS, LARGE, LONG, [7, 70, 170])
    assert (plan.scanned, plan.examined) == (set(), 3)


async def test_one_pattern_is_one_row(pg: asyncpg.Connection) -> None:
    pattern_id = await pg.fetchval("SELECT pattern_id::text FROM patterns WHERE team_id = $1 LIMIT 1", LARGE)
    plan = await plan_of(pg, patterns.ONE, LARGE, pattern_id)
    assert (plan.scanned, plan.sorted) == (set(), 0)
    assert plan.examined <= 2


async def test_positions_need_no_table_but_their_own(pg: asyncpg.Connection) -> None:
    plan = await plan_of(pg, positions.POSITIONS, [LARGE])
    assert (plan.scanned, plan.examined) == (set(), 0)


@pytest.mark.parametrize("count", [1, 10, 500])
async def test_the_decider_reads_one_row_per_key(pg: asyncpg.Connection, count: int) -> None:
    rows = await pg.fetch(
        "SELECT pattern_id::text, name FROM patterns WHERE team_id = $1 LIMIT $2", LARGE, count
    )
    ids, names = [row["pattern_id"] for row in rows], [row["name"] for row in rows]
    teams = [LARGE] * count
    streams = [f"patterns/{pattern_id}" for pattern_id in ids]
    versions = (teams, ids, [1] * count)
    plan = await plan_of(
        pg, statement(FIRST), 0, teams, streams, teams, names, teams[:1], teams, ids, *versions, *versions
    )
    assert plan.scanned == set()
    assert plan.indexes >= {"pk_heads", "pk_names", "pk_outcomes", "pk_history"}
    assert plan.examined <= 5 * count
