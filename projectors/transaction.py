"""One transaction of a projector, and which of Postgres' errors pass by themselves."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
from asyncpg import Connection
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from runtime.postgres import raw

# A projector that stands still in a transaction must not keep the next owner of its partition waiting.
_LIMITS = "SET LOCAL lock_timeout = '3s'; SET LOCAL idle_in_transaction_session_timeout = '5s'"

_PASSING = (asyncpg.PostgresError, asyncpg.InterfaceError, SQLAlchemyError, OSError, TimeoutError)
_LASTING = (asyncpg.IntegrityConstraintViolationError, asyncpg.DataError, asyncpg.exceptions.DataError)


def is_passing(error: Exception) -> bool:
    """Whether the same statements may succeed later: all but those that the rows themselves are wrong for."""
    return isinstance(error, _PASSING) and not isinstance(error, _LASTING)


@asynccontextmanager
async def transaction(engine: AsyncEngine) -> AsyncIterator[Connection]:
    """The driver's connection in a transaction that commits at the end, or rolls back on an error."""
    async with engine.connect() as connection:
        pg = await _live(connection)
        try:
            async with pg.transaction():
                await pg.execute(_LIMITS)
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
    return pg
