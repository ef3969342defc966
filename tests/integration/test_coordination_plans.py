"""What costs nothing while nothing is due: the question is answered by indexes alone."""

import time
from collections.abc import AsyncIterator

import asyncpg
import pytest

from command_api.coordination import rows
from runtime.settings import Settings
from tests.databases import fresh_database, settings_for
from tests.projecting import migrated
from tests.services import Services

LOG = "0190a5d0-0000-7000-8000-000000000001"
_FILL = """
INSERT INTO heads (team_id, stream, version, state)
SELECT md5('o' || n)::uuid, 'organization', 3, '{}' FROM generate_series(1, 10000) AS n;
INSERT INTO heads (team_id, stream, version, state)
SELECT md5('t' || n)::uuid, 'team', 2, '{}' FROM generate_series(1, 100000) AS n;
INSERT INTO coordinated (organization_id, log_id, version)
SELECT team_id, '0190a5d0-0000-7000-8000-000000000001', 3 FROM heads WHERE stream = 'organization';
"""


@pytest.fixture
async def settings(services: Services) -> AsyncIterator[Settings]:
    async with fresh_database(services) as dsn:
        chosen = settings_for(services, dsn)
        await migrated(chosen)
        yield chosen


async def test_what_is_due_is_found_by_index_among_many(settings: Settings) -> None:
    pg = await asyncpg.connect(
        settings.postgres_dsn.get_secret_value(), server_settings={"enable_seqscan": "off"}
    )
    try:
        await pg.execute(_FILL)
        await pg.execute("VACUUM ANALYZE heads")
        await pg.execute("VACUUM ANALYZE coordinated")
        assert await rows.due(pg, LOG) == []
        begin = time.perf_counter()
        await rows.due(pg, LOG)
        print(f"due in {(time.perf_counter() - begin) * 1000:.1f} ms")  # noqa: T201 - shown with a failure
        plan = "\n".join(row[0] for row in await pg.fetch("EXPLAIN " + rows.DUE, LOG))
        assert "ix_heads_organizations" in plan
        assert "Seq Scan" not in plan
        await pg.execute("UPDATE heads SET version = 4 WHERE team_id = md5('o1')::uuid")
        assert len(await rows.due(pg, LOG)) == 1
    finally:
        await pg.close()
