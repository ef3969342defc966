"""One transaction of a projector, and which of Postgres' errors pass by themselves."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
from asyncpg import Connection
from sqlalchemy.ext.asyncio import AsyncEngine

from runtime.postgres import BY_INDEX, FAILED, driver

SESSION = {"lock_timeout": "3s", "idle_in_transaction_session_timeout": "60s", **BY_INDEX}
"""Who waits longer for a checkpoint than this ends the session that holds it; see `end_blocker`."""

_LASTING = (asyncpg.IntegrityConstraintViolationError, asyncpg.DataError, asyncpg.exceptions.DataError)


def is_passing(error: Exception) -> bool:
    """Whether the same statements may succeed later: all but those that the rows themselves are wrong for."""
    return isinstance(error, FAILED) and not isinstance(error, _LASTING)


def reason_of(error: Exception) -> str:
    """What to say of an error that passes."""
    return f"postgres: {str(error) or type(error).__name__}"


@asynccontextmanager
async def transaction(engine: AsyncEngine) -> AsyncIterator[Connection]:
    """The driver's connection in a transaction that commits at the end, or rolls back on an error."""
    async with driver(engine) as pg, pg.transaction():
        yield pg
