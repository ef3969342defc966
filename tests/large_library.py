"""A library of 100,000 patterns beside others, for plans as Postgres makes them on a grown database."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import asyncpg
from sqlalchemy.ext.asyncio import AsyncEngine

from projectors.schema.library import facet
from projectors.schema.tables import metadata
from read_api.database import SESSION
from runtime.postgres import create_engine
from tests.databases import fresh_database, settings_for
from tests.read_rows import SEVERITIES
from tests.services import Services

LARGE = "00000000-0000-4000-8000-000000000000"
OTHERS = [f"00000000-0000-4000-8000-{number:012}" for number in range(1, 26)]
SIZE, OTHER_SIZE = 100_000, 2_000
LONG = "0190a5d0-0000-7000-8000-000000000001"
"""A pattern of the large team, deleted since, that has many versions, and as many conflicts."""
VERSIONS = 300
ROUNDS = 4
"""Versions of every other pattern: in each round all of them changed, one after the other.

Those of the first half of the rounds had other names.
"""
ROUNDS_END = ROUNDS * SIZE
BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)
"""Of the log: in each second after it comes an event."""

# What is looked for comes from here; the rest is made by Postgres, which is quicker at it.
_SEED = """
CREATE TEMPORARY TABLE seed (
    team_id uuid, number integer, category text, severity smallint, tags text[], facets uuid[]
)
"""
_STATUS = "('{{open,resolved,abandoned,deleted}}'::text[])[1 + {} % 4]"
_TIME = f"timestamptz '{BEGINNING}' + ({{}}) * interval '1 second'"
_CLOSING = """CASE WHEN {0} % 4 > 0 THEN '{{"sequence":' || ({0}) + 10 || '}}' END"""
_VERSION = """
'{"version":' || round + 1 || ',"sequence":' || round * size + sequence || ',"type":"pattern.edited.v3"'
|| ',"data":{"set":{"round":' || round || '}},"fields":{"round":' || round || ',' || ltrim(fields, '{') || '}'
"""
# Names and ids are in no order, and 1 pattern in 21 is archived.
_FILL = f"""
INSERT INTO patterns
SELECT team_id, md5(team_id::text || number)::uuid, 1, number, number % 21 = 0, 'name ' || md5(number::text),
       category, severity, tags, facets, now(), now(),
       json_build_object('name', md5(number::text), 'description', repeat(md5(number::text), 8))
  FROM seed;
INSERT INTO changes SELECT team_id, pattern_id, sequence, fields FROM patterns;
INSERT INTO history
SELECT team_id, pattern_id, round + 1, round * size + sequence, {_VERSION},
       {_TIME.format("round * size + sequence")}, archived,
       CASE WHEN round < {ROUNDS} / 2 THEN 'name ' || md5(name) ELSE name END, facets
  FROM generate_series(0, {ROUNDS - 1}) AS round,
       (SELECT *, count(*) OVER (PARTITION BY team_id) AS size FROM patterns) AS patterns
 ORDER BY team_id, round, sequence;
INSERT INTO history
SELECT '{LARGE}', '{LONG}', n, {ROUNDS_END} + n, '{{}}', {_TIME.format(f"{ROUNDS_END} + n")},
       CASE WHEN n < {VERSIONS} THEN false END, CASE WHEN n < {VERSIONS} THEN 'long' END, '{{}}'
  FROM generate_series(1, {VERSIONS}) AS n;
INSERT INTO conflicts
SELECT team_id, pattern_id, pattern_id, sequence, {_STATUS.format("sequence")}, fields,
       {_CLOSING.format("sequence")}
  FROM patterns;
INSERT INTO conflicts
SELECT '{LARGE}', md5(n::text)::uuid, '{LONG}', {SIZE} + n, {_STATUS.format("n")}, '{{}}',
       {_CLOSING.format(f"({SIZE} + n)")}
  FROM generate_series(1, {VERSIONS}) AS n;
INSERT INTO heads SELECT team_id, 'patterns/' || pattern_id, 1, fields FROM patterns;
INSERT INTO names SELECT team_id, name, pattern_id FROM patterns;
INSERT INTO outcomes
SELECT team_id, pattern_id, 0, sequence, md5(name), team_id, now(), 'accepted', fields FROM patterns;
INSERT INTO projected_logs
SELECT 'library', team_id, 0, team_id, count(*), count(*), '' FROM patterns GROUP BY team_id;
INSERT INTO checkpoints
SELECT name, number, 0, 1, '', 0, '{LARGE}' FROM unnest('{{library,outcomes}}'::text[]) AS name,
       generate_series(0, 7) AS number;
INSERT INTO decider_positions SELECT number, 0, 0 FROM generate_series(0, 7) AS number;
DROP TABLE seed;
"""


@asynccontextmanager
async def large_database(services: Services) -> AsyncIterator[AsyncEngine]:
    """A database that holds it."""
    async with fresh_database(services) as dsn:
        engine = create_engine(settings_for(services, dsn), "test")
        async with engine.begin() as connection:
            await connection.run_sync(metadata.create_all)
        async with reading(engine) as pg:
            await fill(pg)
        yield engine
        await engine.dispose()


@asynccontextmanager
async def reading(engine: AsyncEngine) -> AsyncIterator[asyncpg.Connection]:
    """A session whose statements are planned as those of the read API are."""
    dsn = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    pg = await asyncpg.connect(dsn, server_settings=SESSION)
    yield pg
    await pg.close()


async def fill(pg: asyncpg.Connection) -> None:
    """Fill every table and let Postgres count what is there."""
    await pg.execute(_SEED)
    for team_id, size in [(LARGE, SIZE), *((team_id, OTHER_SIZE) for team_id in OTHERS)]:
        await pg.copy_records_to_table("seed", records=_seeds(team_id, size))
    await pg.execute(_FILL)
    await pg.execute("VACUUM ANALYZE")


def _seeds(team_id: str, size: int) -> Iterator[tuple[Any, ...]]:
    """Every filter has rare values and common ones."""
    for number in range(1, size + 1):
        category = "rare" if number % 10_000 == 7 else f"category {number % 40}"
        severity = "critical" if number % 1_000 == 0 else ("low", "medium", "high", "high")[number % 4]
        tags = ["common", f"tag {number % 50}", f"rare {number // 10}"]
        facets = [
            facet(team_id, "category", category),
            facet(team_id, "severity", severity),
            *(facet(team_id, "tag", tag) for tag in tags),
        ]
        yield team_id, number, category, SEVERITIES[severity], tags, facets
