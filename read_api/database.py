"""Postgres as readers use it: one statement at a time, each a snapshot of its own."""

from typing import Any

import asyncpg
import structlog
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from read_api.problems import DatabaseUnavailable
from runtime.postgres import raw

_log = structlog.get_logger(__name__)

_AWAY = (
    OSError,
    TimeoutError,
    PoolTimeout,
    DBAPIError,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.InvalidCatalogNameError,
)
"""What the driver and the pool raise while Postgres is away, stops, starts, or cannot answer in time."""


class Database:
    """Runs single statements on pooled connections, outside of transactions."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        event.listen(engine.sync_engine, "connect", _plan_for_values)

    async def rows(self, statement: str, *arguments: object) -> list[asyncpg.Record]:
        """All rows of a statement; raise `DatabaseUnavailable`."""
        try:
            async with self._engine.connect() as connection:
                return await _fetch(connection, statement, arguments)
        except _AWAY as error:
            _log.warning("database unavailable", reason=repr(error))
            raise DatabaseUnavailable(f"{type(error).__name__}: {error}") from error

    async def row(self, statement: str, *arguments: object) -> asyncpg.Record | None:
        """The one row of a statement, or None; raise `DatabaseUnavailable`."""
        rows = await self.rows(statement, *arguments)
        return rows[0] if rows else None


async def _fetch(
    connection: AsyncConnection, statement: str, arguments: tuple[object, ...]
) -> list[asyncpg.Record]:
    driver = await raw(connection)
    # Those that an end of Postgres has closed are still in the pool; each is met once.
    while driver.is_closed():
        await connection.invalidate()
        driver = await raw(connection)
    try:
        return await driver.fetch(statement, *arguments)
    except _AWAY:
        await connection.invalidate()
        raise


def _plan_for_values(connection: Any, _record: object) -> None:
    """Have each statement planned for its values: a rare tag and a common severity want different indexes."""
    connection.run_async(lambda driver: driver.execute("SET plan_cache_mode = force_custom_plan"))
