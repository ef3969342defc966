"""Postgres: a process's async engine, and the driver's own connection for COPY and hot statements."""

from typing import cast

import asyncpg
from sqlalchemy import make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from runtime.settings import Settings


def create_engine(settings: Settings, application_name: str) -> AsyncEngine:
    """An engine with a pool of its own; nothing is connected before the first use."""
    url = make_url(settings.postgres_dsn.get_secret_value()).set(drivername="postgresql+asyncpg")
    milliseconds = str(int(settings.postgres_statement_timeout_s * 1000))
    return create_async_engine(
        url,
        pool_size=settings.postgres_pool_size,
        max_overflow=settings.postgres_pool_overflow,
        pool_timeout=settings.postgres_pool_timeout_s,
        pool_recycle=settings.postgres_pool_recycle_s,
        connect_args={
            "timeout": settings.postgres_connect_timeout_s,
            "command_timeout": settings.postgres_statement_timeout_s + 1,
            "server_settings": {"application_name": application_name, "statement_timeout": milliseconds},
        },
    )


async def raw(connection: AsyncConnection) -> asyncpg.Connection:
    """The driver's connection under SQLAlchemy's, for COPY and for hot statements."""
    return cast(asyncpg.Connection, (await connection.get_raw_connection()).driver_connection)
