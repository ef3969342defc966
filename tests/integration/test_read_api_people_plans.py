"""At 100,000 members, in a team and in all, each question about people reads little more than it answers."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from projectors.schema.tables import metadata
from read_api import belonging, organizations, team_people, team_settings
from read_api.key_lists import KeyList
from read_api.roles import WROTE, Kind
from runtime.postgres import create_engine
from tests.databases import fresh_database, settings_for
from tests.large_library import reading
from tests.plans import plan_of
from tests.services import Services

LARGE = "00000000-0000-4000-8000-000000000000"
SIZE, LIMIT = 100_000, 100
NIL = "00000000-0000-0000-0000-000000000000"
_FILL = f"""
INSERT INTO members SELECT '{LARGE}', 'u' || n, 'viewer', 'team', n, now()
  FROM generate_series(1, {SIZE}) AS n;
INSERT INTO members SELECT md5('t' || n)::uuid, 'u' || n % 1000, 'viewer', 'team', n, now()
  FROM generate_series(1, {SIZE}) AS n;
INSERT INTO teams SELECT DISTINCT ON (team_id) team_id, 1, 'T', NULL::uuid, 'free', 1, now() FROM members;
INSERT INTO organization_members SELECT '{LARGE}', 'u' || n, 'member', n, now()
  FROM generate_series(1, {SIZE}) AS n;
INSERT INTO organizations SELECT md5('o' || n)::uuid, 1, 'O', 'free', n, now()
  FROM generate_series(1, {SIZE}) AS n;
INSERT INTO organizations VALUES ('{LARGE}', 1, 'O', 'free', 1, now());
INSERT INTO organization_teams SELECT '{LARGE}', team_id, 'T', 1, now() FROM teams;
INSERT INTO invitations SELECT '{LARGE}', stream, md5('i' || n)::uuid, 'viewer', '2026', n, now()
  FROM generate_series(1, {SIZE}) AS n, unnest('{{team,organization}}'::text[]) AS stream;
INSERT INTO settings SELECT team_id, 's' || n, '1', 'team', n, now()
  FROM (SELECT team_id FROM teams ORDER BY 1 LIMIT 2000) AS few, generate_series(1, 50) AS n;
INSERT INTO organization_settings SELECT organization_id, 's' || n, '1', false, n, now()
  FROM (SELECT organization_id FROM organizations ORDER BY 1 LIMIT 2000) AS few, generate_series(1, 50) AS n;
INSERT INTO projected_logs VALUES ('library', '{LARGE}', 0, '{LARGE}', {SIZE}, {SIZE}, '');
INSERT INTO audit
SELECT '{LARGE}', n, now(), '{LARGE}', 'team', n,
       CASE WHEN n % 1000 = 0 THEN 'team.settings_changed.v1' ELSE 'pattern.recorded.v1' END,
       '{LARGE}', '', 0, 1, 'u', 'r', '', '', '', '{{}}', NULL FROM generate_series(1, {SIZE}) AS n;
"""


@pytest.fixture(scope="module")
async def pg(services: Services) -> AsyncIterator[asyncpg.Connection]:
    async with fresh_database(services) as dsn:
        engine = create_engine(settings_for(services, dsn), "test")
        async with engine.begin() as connection:
            await connection.run_sync(metadata.create_all)
        async with reading(engine) as pg:
            await pg.execute(_FILL)
            await pg.execute("VACUUM ANALYZE")
            yield pg
        await engine.dispose()


async def test_a_role_is_one_look_at_the_primary_key(pg: asyncpg.Connection) -> None:
    for kind in Kind:
        plan = await plan_of(pg, kind.value, [LARGE], ["u77"])
        assert (plan.scanned, plan.examined) == (set(), 1), kind


async def test_whether_somebody_wrote_is_one_look_at_an_index(pg: asyncpg.Connection) -> None:
    assert (await plan_of(pg, WROTE, LARGE, "u")).examined == 1
    plan = await plan_of(pg, WROTE, LARGE, "u77")
    assert (plan.scanned, plan.examined) == (set(), 0)


@pytest.mark.parametrize(
    "one",
    [
        *(team_people.MEMBERS, team_people.INVITATIONS, organizations.INVITATIONS),
        *(organizations.MEMBERS, organizations.TEAMS, team_settings.SETTINGS, organizations.SETTINGS),
    ],
)
async def test_a_page_of_a_list_reads_itself_and_one_row_more(pg: asyncpg.Connection, one: KeyList) -> None:
    first = NIL if one.key in ("id", "invitation_id") else ""
    plan = await plan_of(pg, one.statement, LARGE, LIMIT, first)
    assert plan.scanned == set()
    assert plan.examined <= LIMIT + 1


async def test_what_changed_settings_is_found_by_its_type(pg: asyncpg.Connection) -> None:
    types = ("team.settings_changed.v1", "team.organization_applied.v1")
    plan = await plan_of(pg, team_settings.history_statement(types), LARGE, LIMIT, 0)
    assert (plan.scanned, plan.indexes & {"ix_audit_type"}) == (set(), {"ix_audit_type"})
    assert plan.examined <= LIMIT + 1


async def test_what_somebody_belongs_to_is_found_by_who_they_are(pg: asyncpg.Connection) -> None:
    plan = await plan_of(pg, belonging.TEAMS, "u77", NIL, LIMIT, None)
    assert plan.scanned == set()
    assert plan.examined <= 3 * LIMIT
    plan = await plan_of(pg, belonging.ORGANIZATIONS, "u77", NIL, LIMIT)
    assert plan.scanned == set()
    assert plan.examined <= 2


async def test_an_organization_is_found_by_its_id(pg: asyncpg.Connection) -> None:
    assert (await plan_of(pg, organizations.ONE, LARGE)).scanned == set()
