"""The tables of a generation: made bare, finished when they are full, and dropped."""

import asyncio

import asyncpg
import stamina
from asyncpg import Connection
from sqlalchemy import Index, Table
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.schema import (
    AddConstraint,
    CreateIndex,
    CreateTable,
    DDLElement,
    SetColumnComment,
    SetTableComment,
)

from projectors.generations import Generation
from projectors.schema.generations import tables_of
from runtime.postgres import driver

READ_WHILE_FILLING = frozenset({"ix_history_sequence"})
"""Indexes by which read models look for what they wrote before."""
ONLY_APPENDED_TO = frozenset({"history"})
"""Tables whose rows nobody looks up by their key while they are filled, so that it can come afterwards."""

_PATIENCE_S = 24 * 3600.0
_INDEX_MEMORY = "256MB"
_SIDE_BY_SIDE = 2
"""Tables whose indexes are made at once, each with that much memory."""
_DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]


async def create_tables(pg: Connection, projection: str, schema: str) -> None:
    """Make the tables of a projection in a schema, where they are not there."""
    async with pg.transaction():
        await pg.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
        await pg.execute(f"SET LOCAL search_path TO {schema}")
        for table in tables_of(projection):
            if await pg.fetchval("SELECT to_regclass($1)", f"{schema}.{table.name}") is not None:
                continue
            await pg.execute(_sql(CreateTable(table)))
            for element in _comments(table):
                await pg.execute(_sql(element))
            if table.name in ONLY_APPENDED_TO:
                await pg.execute(f"ALTER TABLE {table.name} DROP CONSTRAINT {table.primary_key.name}")
            for index in table.indexes:
                if index.name in READ_WHILE_FILLING:
                    await pg.execute(_sql(CreateIndex(index)))


async def finish_tables(engine: AsyncEngine, projection: str, schema: str) -> None:
    """Make the keys and indexes that are missing, and let Postgres look at what is in the tables."""
    working = asyncio.Semaphore(_SIDE_BY_SIDE)

    async def one(table: Table) -> None:
        async with working, driver(engine) as pg:
            await _finish(pg, table, schema)

    # The index of what is found by words takes the longest, so its tables come first.
    tables = sorted(tables_of(projection), key=lambda table: -len(table.indexes))
    for failed in await asyncio.gather(*(one(table) for table in tables), return_exceptions=True):
        if failed is not None:
            raise failed


async def finish_within(pg: Connection, projection: str, schema: str) -> None:
    """The same over one connection, in its transaction."""
    for table in tables_of(projection):
        await _finish(pg, table, schema)


async def _finish(pg: Connection, table: Table, schema: str) -> None:
    for key, element in _missing_later(table):
        async with pg.transaction():
            await pg.execute(f"SET LOCAL search_path TO {schema}")
            await pg.execute(f"SET LOCAL maintenance_work_mem = '{_INDEX_MEMORY}'")
            await pg.execute("SET LOCAL statement_timeout = 0")
            if await pg.fetchval("SELECT to_regclass($1)", f"{schema}.{key}") is None:
                await pg.execute(_sql(element), timeout=_PATIENCE_S)
    async with pg.transaction():
        await pg.execute("SET LOCAL statement_timeout = 0")
        await pg.execute(f"ANALYZE {schema}.{table.name}", timeout=_PATIENCE_S)


async def drop_tables(pg: Connection, generation: Generation, *, alone: bool) -> None:
    """Drop a generation's tables, all at one moment, and wait for the statements that still read them.

    Of the place of the first generations, `alone` says that no other projection's is there any more.
    """
    async for attempt in stamina.retry_context(
        on=(asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError),
        attempts=None, timeout=None, wait_initial=0.1, wait_max=2.0,
    ):  # fmt: skip
        with attempt:
            async with pg.transaction():
                # Who reads them does not wait behind this for longer.
                await pg.execute("SET LOCAL lock_timeout = '1s'")
                await _drop(pg, generation, alone=alone)


async def _drop(pg: Connection, generation: Generation, *, alone: bool) -> None:
    if generation.number > 1:
        await pg.execute(f"DROP SCHEMA IF EXISTS {generation.schema} CASCADE")
        return
    names = [table.name for table in tables_of(generation.projection) if table.name != "checkpoints" or alone]
    await pg.execute(f"DROP TABLE IF EXISTS {', '.join(f'public.{name}' for name in names)}")
    if not alone:
        await pg.execute("DELETE FROM public.checkpoints WHERE projection = $1", generation.projection)


def _comments(table: Table) -> list[DDLElement]:
    columns = [SetColumnComment(column) for column in table.columns if column.comment]
    return [SetTableComment(table), *columns]


def _missing_later(table: Table) -> list[tuple[str, DDLElement]]:
    """What is made after the rows, by the name of its index."""
    made: list[tuple[str, DDLElement]] = []
    if table.name in ONLY_APPENDED_TO:
        made.append((str(table.primary_key.name), AddConstraint(table.primary_key, isolate_from_table=False)))
    by_name = sorted(table.indexes, key=lambda index: str(index.name))
    return made + [(str(index.name), CreateIndex(index)) for index in by_name if _comes_later(index)]


def _comes_later(index: Index) -> bool:
    return index.name not in READ_WHILE_FILLING


def _sql(element: DDLElement) -> str:
    return str(element.compile(dialect=_DIALECT))
