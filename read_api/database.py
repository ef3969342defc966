"""Postgres as readers use it: one statement at a time, each a snapshot of its own."""

import asyncpg
import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine

from read_api.problems import DatabaseUnavailable
from runtime.postgres import driver

_log = structlog.get_logger(__name__)

_AWAY = (
    OSError,
    TimeoutError,
    PoolTimeout,
    DBAPIError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.InvalidCatalogNameError,
)
"""What the driver and the pool raise while Postgres is away, stops, starts, or cannot answer in time."""

SESSION = {"plan_cache_mode": "force_custom_plan"}
"""Each statement is planned for its values: a rare tag and a common severity want different indexes."""


class Database:
    """Runs single statements on pooled connections, outside of transactions."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def rows(self, statement: str, *arguments: object) -> list[asyncpg.Record]:
        """All rows of a statement; raise `DatabaseUnavailable`."""
        try:
            async with driver(self._engine) as pg:
                rows: list[asyncpg.Record] = await pg.fetch(statement, *arguments)
                return rows
        except _AWAY as error:
            _log.warning("database unavailable", reason=repr(error))
            raise DatabaseUnavailable(f"{type(error).__name__}: {error}") from error

    async def row(self, statement: str, *arguments: object) -> asyncpg.Record | None:
        """The one row of a statement, or None; raise `DatabaseUnavailable`."""
        rows = await self.rows(statement, *arguments)
        return rows[0] if rows else None
