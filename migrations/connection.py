"""The connection that migrations run on."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from runtime.postgres import create_engine
from runtime.settings import Settings

_LOCK = 0x5041_5454_4C4F_47
"""The advisory lock of migrations: `PATTLOG` in ASCII."""
_TIMEOUT_S = 3600.0
"""Other processes wait for the one that migrates, and a large table takes its time."""


@asynccontextmanager
async def locked_connection(settings: Settings) -> AsyncIterator[AsyncConnection]:
    """A connection in a transaction that no other migration runs beside; it commits all or nothing."""
    patient = settings.model_copy(update={"postgres_statement_timeout_s": _TIMEOUT_S})
    engine = create_engine(patient, "patternlog-migrations")
    try:
        async with engine.begin() as connection:
            await connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
            yield connection
    finally:
        await engine.dispose()
