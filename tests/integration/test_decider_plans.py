"""A decider that started on empty tables still finds a row by its index when they have grown."""

import json
import uuid

from command_api.decider.snapshot import Wanted, read_snapshot
from migrations.run import upgrade
from projectors.heads import HEADS
from runtime.postgres import BY_INDEX, create_engine, driver
from tests.databases import fresh_database, settings_for
from tests.services import Services

ENOUGH_FOR_A_LASTING_PLAN = 10
"""Postgres keeps one plan for all values after five executions of a prepared statement."""
MANY = 10_000
TEAM = str(uuid.uuid4())


async def test_a_plan_that_was_made_for_empty_tables_reads_no_more_than_it_answers(
    services: Services,
) -> None:
    async with fresh_database(services) as dsn:
        settings = settings_for(services, dsn).model_copy(update={"postgres_pool_size": 1})
        await upgrade(settings)
        engine = create_engine(settings, "test", **BY_INDEX)
        wanted = Wanted(streams={(TEAM, "patterns/7")})
        for _ in range(ENOUGH_FOR_A_LASTING_PLAN):
            assert (await read_snapshot(engine, 0, wanted)).states == {}
        state = json.dumps({"kind": "deleted_pattern", "version": 2})
        rows = [(TEAM, f"patterns/{number}", 2, state) for number in range(MANY)]
        async with driver(engine) as pg:
            await pg.copy_records_to_table("heads", records=rows, columns=HEADS)
        for _ in range(ENOUGH_FOR_A_LASTING_PLAN):
            assert len((await read_snapshot(engine, 0, wanted)).states) == 1
        async with driver(engine) as pg:
            await pg.execute("SELECT pg_stat_force_next_flush()")
            read = await pg.fetchval("SELECT seq_tup_read FROM pg_stat_user_tables WHERE relname = 'heads'")
        await engine.dispose()
    assert read < MANY
