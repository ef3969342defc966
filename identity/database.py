"""Postgres as accounts, sessions and keys use it: whole transactions, or a problem that says to try again."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from identity.problems import identity_unavailable
from runtime.postgres import AWAY, driver
from runtime.problems import Problem

_log = structlog.get_logger(__name__)

TRY_AGAIN = (*AWAY, asyncpg.DeadlockDetectedError, asyncpg.SerializationError)
"""Postgres is away, or has ended a transaction for the sake of another."""


@asynccontextmanager
async def transaction(engine: AsyncEngine) -> AsyncIterator[asyncpg.Connection]:
    """A connection in a transaction, which commits at the end; raise `Problem` 503 `database_unavailable`.

    A `Problem` that is raised in it takes back what it did, and leaves the connection in the pool.
    """
    refused: Problem | None = None
    try:
        async with driver(engine) as pg:
            try:
                async with pg.transaction():
                    yield pg
            except Problem as problem:
                # The connection is good; only an error of its own costs it.
                refused = problem
    except TRY_AGAIN as error:
        _log.warning("database unavailable", reason=repr(error))
        raise identity_unavailable() from error
    if refused is not None:
        raise refused
