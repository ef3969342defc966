"""A projection rebuilt beside COPY of the same rows into the same indexed tables."""

import asyncio
import io
import os
import time

import asyncpg

from benchmarks.log_of_events import append_events
from benchmarks.running import PARTITIONS, stack
from benchmarks.statistics import Report
from migrations.run import upgrade
from projectors import filling
from projectors.generation_tables import create_tables, finish_tables
from projectors.schema.generations import tables_of
from runtime.log_setup import create_log
from runtime.postgres import create_engine, driver
from runtime.settings import Settings

EVENTS = int(os.environ.get("BENCH_EVENTS", "200000"))
RUNS = 3
LIBRARY = "library"


def rebuild(report: Report) -> None:
    """All of it, on a stack of its own."""
    with stack() as running:
        settings = Settings.model_validate(
            {
                "kafka_bootstrap": running.kafka_bootstrap,
                "postgres_dsn": running.postgres_dsn,
                "topic_prefix": "rebuild",
                "log_partitions": int(PARTITIONS),
            }
        )
        asyncio.run(_rebuild(report, settings))


async def _rebuild(report: Report, settings: Settings) -> None:
    await upgrade(settings)
    await create_log(settings)
    events = await append_events(settings, EVENTS)
    filled, copied = [], []
    # Turn by turn, so that whatever else the machine does meanwhile is the same to both.
    for run in range(RUNS):
        filled.append(await _filled(settings, f"filled_{run}", events))
        copied.append(await _copied(settings, "filled_0", f"copied_{run}", events))
    copy_rate = report.add("COPY of the same rows", "indexed tables", copied, "events/s")
    report.add_beside("rebuild", "all read models, with their indexes", filled, "events/s", "COPY", copy_rate)


async def _filled(settings: Settings, schema: str, events: int) -> float:
    began = time.perf_counter()
    await filling.fill_schema(settings, LIBRARY, schema)
    return events / (time.perf_counter() - began)


async def _copied(settings: Settings, source: str, schema: str, events: int) -> float:
    """COPY alone, into empty tables that have all their indexes."""
    engine = create_engine(settings.model_copy(update={"postgres_statement_timeout_s": 3600.0}), "benchmark")
    async with driver(engine) as pg:
        await create_tables(pg, LIBRARY, schema)
        await finish_tables(engine, LIBRARY, schema)
        names = [table.name for table in tables_of(LIBRARY)]
        rows = {name: await _rows_of(pg, source, name) for name in names}
        began = time.perf_counter()
        for name, data in rows.items():
            await pg.copy_to_table(name, source=data, schema_name=schema)
        seconds = time.perf_counter() - began
        await pg.execute(f"DROP SCHEMA {schema} CASCADE")
    await engine.dispose()
    return events / seconds


async def _rows_of(pg: asyncpg.Connection, schema: str, table: str) -> io.BytesIO:
    data = io.BytesIO()
    await pg.copy_from_table(table, schema_name=schema, output=data)
    data.seek(0)
    return data
