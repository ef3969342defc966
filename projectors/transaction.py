"""One transaction of a projector, and which of Postgres' errors pass by themselves."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
from asyncpg import Connection
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from runtime.postgres import raw

# Who waits longer for a checkpoint than this ends the session that holds it; see `end_blocker`.
_LIMITS = "SET lock_timeout = '3s'; SET idle_in_transaction_session_timeout = '60s'"

_PASSING = (asyncpg.PostgresError, asyncpg.InterfaceError, SQLAlchemyError, OSError, TimeoutError)
_LASTING = (asyncpg.IntegrityConstraintViolationError, asyncpg.DataError, asyncpg.exceptions.DataError)


def is_passing(error: Exception) -> bool:
    """Whether the same statements may succeed later: all but those that the rows themselves are wrong for."""
    return isinstance(error, _PASSING) and not isinstance(error, _LASTING)


def reason_of(error: Exception) -> str:
    """What to say of an error that passes."""
    return f"postgres: {str(error) or type(error).__name__}"


@asynccontextmanager
async def transaction(engine: AsyncEngine) -> AsyncIterator[Connection]:
    """The driver's connection in a transaction that commits at the end, or rolls back on an error."""
    async with engine.connect() as connection:
        pg = await _live(connection)
        try:
            async with pg.transaction():
                yield pg
        finally:
            # The pool does not see what the driver's connection has met.
            if pg.is_closed():
                await connection.invalidate()


async def _live(connection: AsyncConnection) -> Connection:
    pg = await raw(connection)
    if pg.is_closed():
        await connection.invalidate()
        pg = await raw(connection)
    if _LIMITS not in connection.info:
        await pg.execute(_LIMITS)
        connection.info[_LIMITS] = True
    return pg
