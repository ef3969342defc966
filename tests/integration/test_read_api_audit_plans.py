"""At 100,000 events and refusals of a team, beside others, the audit reads little more than it looks at."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import asyncpg
import pytest

from command_api.lookup import OUTCOME
from events.pattern import stream_of
from projectors.schema.tables import metadata
from read_api.audit_query import AuditFilters, read_filters
from read_api.audit_refusals import RefusalsQuery, refusals_scan
from read_api.audit_rows import FIRST_SINCE, RECORDS, walk_statement
from read_api.scanning import Order
from runtime.postgres import create_engine
from tests.audits import fill_audit
from tests.databases import fresh_database, settings_for
from tests.large_library import LARGE, OTHERS, reading
from tests.plans import plan_of
from tests.services import Services

pytestmark = pytest.mark.timeout(600)

LIMIT, SIZE = 100, 100_000
PATTERN = "0190a5d0-0000-7000-8000-000000000001"
_FILL = f"""
UPDATE audit SET stream = 'team' WHERE sequence % 20000 = 7;
UPDATE audit SET stream = '{stream_of(PATTERN)}' WHERE team_id = '{LARGE}' AND sequence % 100 = 50;
INSERT INTO history
SELECT team_id, '{PATTERN}', row_number() OVER (ORDER BY sequence), sequence, '{{}}', latest, false, 'n',
       '{{}}'
  FROM audit WHERE team_id = '{LARGE}' AND sequence % 100 = 50;
INSERT INTO history
SELECT team_id, md5(sequence::text)::uuid, 1, sequence, '{{}}', latest, false, 'n', '{{}}'
  FROM audit WHERE sequence % 100 <> 50;
INSERT INTO outcomes
SELECT team_id, command_id, 0, sequence, '', team_id, latest, 'accepted',
       CASE WHEN sequence % 2 = 0 THEN jsonb_build_object('sequence', sequence) ELSE '{{}}' END FROM audit;
INSERT INTO origins SELECT 0, n, now(), 'a', 'b' FROM generate_series(1, {SIZE}) AS n;
INSERT INTO refusals
SELECT row_number() OVER (ORDER BY team_id), sequence, team_id, latest,
       CASE WHEN sequence % 500 = 0 THEN 'rare' ELSE 'name_taken' END, actor, '{{"code":"name_taken"}}'
  FROM audit;
"""


@pytest.fixture(scope="module")
async def pg(services: Services) -> AsyncIterator[asyncpg.Connection]:
    async with fresh_database(services) as dsn:
        engine = create_engine(settings_for(services, dsn), "test")
        async with engine.begin() as connection:
            await connection.run_sync(metadata.create_all)
        async with reading(engine) as pg:
            for team, size in [(LARGE, SIZE), *((team, SIZE // 50) for team in OTHERS)]:
                await fill_audit(pg, team, LARGE, size)
            await pg.execute(_FILL)
            await pg.execute("VACUUM ANALYZE")
            yield pg
        await engine.dispose()


FILTERS: list[tuple[dict[str, str], str]] = [
    ({}, "pk_audit"),
    ({"actor": "u-7"}, "ix_audit_actor"),
    ({"actor": "nobody"}, "ix_audit_actor"),
    ({"action": "pattern.archived"}, "ix_audit_type"),
    # What nearly all are is best found by walking over all.
    ({"action": "pattern.recorded.v1"}, "pk_audit"),
    ({"action": "pattern.conflict_resolved"}, "ix_audit_type"),
    ({"action": "pattern.archived", "actor": "u-7"}, "ix_audit_type"),
    ({"action": "pattern.recorded", "actor": "u-7"}, "ix_audit_actor"),
    ({"stream": "team"}, "ix_audit_stream"),
    ({"pattern_id": PATTERN, "actor": "u-7"}, "pk_history"),
]


@pytest.mark.parametrize("order", get_args(Order))
@pytest.mark.parametrize(("asked", "index"), FILTERS, ids=str)
@pytest.mark.parametrize("place", [0, SIZE // 2])
async def test_a_page_of_events_reads_itself_and_one_row_more(
    pg: asyncpg.Connection, order: Order, asked: dict[str, str], index: str, place: int
) -> None:
    wanted = read_filters(AuditFilters.model_validate(asked))
    statement = walk_statement(wanted.way, order, len(wanted.values))
    low, high = (place, SIZE + 1) if order == "asc" else (0, SIZE + 1 - place)
    plan = await plan_of(pg, statement, LARGE, LIMIT, low, high, *wanted.values)
    assert index in plan.indexes
    assert plan.scanned == set()
    # Each entry has its outcome and its origin; to a pattern's, the versions before the place are passed by.
    passed_by = 2 * SIZE // 100 if wanted.way == "pattern" else 0
    assert plan.examined <= 3 * LIMIT + len(wanted.values) + 1 + passed_by


async def test_records_as_written_are_read_by_their_key(pg: asyncpg.Connection) -> None:
    plan = await plan_of(pg, RECORDS, LARGE, LIMIT, SIZE // 2, SIZE + 1)
    assert (plan.scanned, plan.examined, plan.sorted) == (set(), LIMIT + 1, 0)


@pytest.mark.parametrize("sequence", [7, 8])
async def test_whose_an_outcome_is_takes_one_row_more(pg: asyncpg.Connection, sequence: int) -> None:
    find = "SELECT command_id::text FROM audit WHERE team_id = $1 AND sequence = $2"
    plan = await plan_of(pg, OUTCOME, LARGE, await pg.fetchval(find, LARGE, sequence))
    assert plan.scanned == set()
    assert 1 <= plan.examined <= 2


@pytest.mark.parametrize("second", [0, 1, SIZE // 3, SIZE, 2 * SIZE])
async def test_the_place_of_a_time_is_found_by_halving(pg: asyncpg.Connection, second: int) -> None:
    moment = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=second)
    found = await pg.fetchval(FIRST_SINCE, LARGE, moment)
    assert found == min(max(second, 1), SIZE + 1)
    plan = await plan_of(pg, FIRST_SINCE, LARGE, moment)
    assert (plan.scanned, plan.indexes & {"pk_audit"}) == (set(), {"pk_audit"})
    assert plan.examined <= SIZE.bit_length()


REFUSALS: list[tuple[dict[str, Any], str]] = [
    ({}, "ix_refusals_team"),
    ({"actor": "u-7"}, "ix_refusals_actor"),
    ({"code": "rare"}, "ix_refusals_code"),
    ({"code": "no_one"}, "ix_refusals_code"),
    ({"code": "name_taken"}, "ix_refusals_team"),
    ({"from": "2026-01-01T12:00:00Z", "to": "2026-01-01T13:00:00Z"}, "ix_refusals_team"),
]


@pytest.mark.parametrize("order", get_args(Order))
@pytest.mark.parametrize(("asked", "index"), REFUSALS, ids=str)
async def test_a_page_of_refusals_reads_itself_and_one_row_more(
    pg: asyncpg.Connection, order: Order, asked: dict[str, Any], index: str
) -> None:
    scan = refusals_scan(LARGE, RefusalsQuery.model_validate({**asked, "order": order}))
    places = (*scan.convert(scan.low), *scan.convert(scan.high))
    plan = await plan_of(pg, scan.statement, LARGE, LIMIT, *places, *scan.arguments)
    assert index in plan.indexes
    assert plan.scanned == set()
    assert plan.examined <= 2 * LIMIT + 1
