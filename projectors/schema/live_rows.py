"""Reading a row of the live generations, whichever they are by now."""

from collections.abc import Iterable

import asyncpg
from sqlalchemy.ext.asyncio import AsyncEngine

from projectors.schema.generations import LIVE, search_path
from runtime.postgres import driver


async def live_row(
    engine: AsyncEngine, projections: Iterable[str], statement: str, *values: object
) -> asyncpg.Record | None:
    """The first row of a statement over the tables of projections; raise what the driver does."""
    wanted = (*projections,)
    try:
        return await _row(engine, wanted, statement, values)
    except asyncpg.UndefinedTableError:
        # The generation that was live a moment ago is dropped.
        return await _row(engine, wanted, statement, values)


async def _row(
    engine: AsyncEngine, projections: tuple[str, ...], statement: str, values: tuple[object, ...]
) -> asyncpg.Record | None:
    async with driver(engine) as pg:
        live = {row[0]: row[1] for row in await pg.fetch(LIVE)}
    async with driver(engine, search_path(live[name] for name in projections)) as pg:
        return await pg.fetchrow(statement, *values)
