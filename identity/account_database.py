"""Postgres as accounts use it: short transactions, and one answer where it is away."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine

from identity.account_problems import accounts_unavailable
from runtime.postgres import driver
from runtime.problems import Problem

_log = structlog.get_logger(__name__)

AWAY = (
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


class AccountDatabase:
    """Runs transactions on pooled connections."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[asyncpg.Connection]:
        """A transaction that a `Problem` rolls back; raise `Problem` 503 `database_unavailable`."""
        refused: Problem | None = None
        try:
            async with driver(self._engine) as pg:
                try:
                    async with pg.transaction():
                        yield pg
                except Problem as problem:
                    # The connection is good; only an error of its own costs it.
                    refused = problem
        except AWAY as error:
            _log.warning("database unavailable", reason=type(error).__name__)
            raise accounts_unavailable() from error
        if refused is not None:
            raise refused
