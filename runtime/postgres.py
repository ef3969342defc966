"""Postgres: a process's async engine, and the driver's own connection for COPY and hot statements."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import asyncpg
from sqlalchemy import make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from runtime.secrets.postgres_rotation import follow_rotation
from runtime.settings import Settings

FAILED = (
    *(asyncpg.PostgresError, asyncpg.InterfaceError),
    # Raised when the server ends a connection at the very moment that it is used.
    asyncpg.InternalClientError,
    *(SQLAlchemyError, OSError, TimeoutError),
)
"""What a statement of ours may fail with, besides a bug."""

AWAY = (
    *(OSError, TimeoutError, PoolTimeout, DBAPIError),
    *(asyncpg.InterfaceError, asyncpg.InternalClientError, asyncpg.PostgresConnectionError),
    *(asyncpg.OperatorInterventionError, asyncpg.InsufficientResourcesError),
    asyncpg.InvalidCatalogNameError,
)
"""What the driver and the pool raise while Postgres is away, stops, starts, or cannot answer in time."""

BY_INDEX = {"enable_seqscan": "off"}
"""For sessions whose every statement has its index.

A plan that was made while a table was empty is kept until Postgres next analyzes that table, and would read
the whole of it for each row until then.
"""


def create_engine(settings: Settings, application_name: str, **session: str) -> AsyncEngine:
    """An engine with a pool of its own; nothing is connected before the first use.

    Its connections are made with the DSN that is in force then, and replaced after it has changed.

    `session` holds settings of Postgres that each connection begins with.
    """
    url = make_url(settings.postgres_dsn.get_secret_value()).set(drivername="postgresql+asyncpg")
    milliseconds = str(int(settings.postgres_statement_timeout_s * 1000))
    options: dict[str, Any] = {
        "timeout": settings.postgres_connect_timeout_s,
        "command_timeout": settings.postgres_statement_timeout_s + 1,
        "server_settings": {
            "application_name": application_name,
            "statement_timeout": milliseconds,
            **session,
        },
    }
    engine = create_async_engine(
        url,
        pool_size=settings.postgres_pool_size,
        max_overflow=settings.postgres_pool_overflow,
        pool_timeout=settings.postgres_pool_timeout_s,
        pool_recycle=settings.postgres_pool_recycle_s,
        connect_args=options,
    )
    follow_rotation(engine.sync_engine, settings, options)
    return engine


@asynccontextmanager
async def driver(engine: AsyncEngine, path: str | None = None) -> AsyncIterator[asyncpg.Connection]:
    """The driver's own connection, from the pool; on it plain names are looked for on `path`.

    The pool does not see what happens on it, and would hand out a dead one for ever: one that has closed is
    replaced here, and one that an error was met on is not given back.
    """
    async with engine.connect() as connection:
        pg = await _raw(connection)
        while pg.is_closed():
            await connection.invalidate()
            pg = await _raw(connection)
        try:
            if path is not None:
                await _follow(connection, pg, path)
            yield pg
        except Exception:
            await connection.invalidate()
            raise


async def _follow(connection: AsyncConnection, pg: asyncpg.Connection, path: str) -> None:
    """Postgres looks plain names up anew when the path is another one, also in prepared statements."""
    known = connection.sync_connection.info if connection.sync_connection else {}
    if known.get("path") != path:
        await pg.execute(f"SET search_path TO {path}")
        known["path"] = path


async def _raw(connection: AsyncConnection) -> asyncpg.Connection:
    return cast(asyncpg.Connection, (await connection.get_raw_connection()).driver_connection)
