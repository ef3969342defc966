"""Postgres as readers use it: one statement at a time, each a snapshot of its own."""

import asyncio
from contextlib import suppress

import asyncpg
import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from projectors.schema.generations import LIVE, search_path
from read_api.problems import DatabaseUnavailable
from runtime.postgres import AWAY, driver

_log = structlog.get_logger(__name__)

SESSION = {"plan_cache_mode": "force_custom_plan"}
"""Each statement is planned for its values: a rare tag and a common severity want different indexes."""


_SWITCH_S = 2.0
_POLL_S = 0.01
_BEHIND = """
SELECT EXISTS (
    SELECT FROM {old}.checkpoints AS o LEFT JOIN {new}.checkpoints AS n USING (projection, partition)
     WHERE projection = $1 AND coalesce(n.next_offset, -1) < o.next_offset)
"""


class Database:
    """Runs single statements on pooled connections, outside of transactions."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._live: dict[str, str] = {}
        self._following = asyncio.Lock()
        self._reading = 0
        self._open = asyncio.Event()
        self._open.set()
        self._idle = asyncio.Event()
        self._idle.set()

    async def follow(self) -> None:
        """Look which generations are live, and read those from now on, once they have come as far.

        Raise `DatabaseUnavailable`, or what else Postgres says of tables that are not there.
        """
        try:
            async with self._following, driver(self._engine) as pg:
                live: dict[str, str] = {row[0]: row[1] for row in await pg.fetch(LIVE)}
                if live != self._live:
                    await self._switch(pg, live)
        except AWAY as error:
            raise DatabaseUnavailable(f"{type(error).__name__}: {error}") from error

    async def _switch(self, pg: asyncpg.Connection, live: dict[str, str]) -> None:
        """Nobody who has read here is shown anything earlier: statements wait until the new one is as far."""
        self._open.clear()
        try:
            async with asyncio.timeout(_SWITCH_S):
                await self._idle.wait()
                while await self._is_behind(pg, live):  # noqa: ASYNC110 - another process feeds it
                    await asyncio.sleep(_POLL_S)
            self._live = live
            _log.info("reading the live generations", **live)
        except TimeoutError:
            _log.warning("the live generation is not as far as the one that is read")
        finally:
            self._open.set()

    async def _is_behind(self, pg: asyncpg.Connection, live: dict[str, str]) -> bool:
        for projection, schema in self._live.items():
            if live[projection] == schema:
                continue
            statement = _BEHIND.format(old=schema, new=live[projection])
            with suppress(asyncpg.UndefinedTableError):
                # What is dropped is as far as it will ever be.
                if await pg.fetchval(statement, projection):
                    return True
        return False

    async def rows(self, statement: str, *arguments: object) -> list[asyncpg.Record]:
        """All rows of a statement; raise `DatabaseUnavailable`."""
        try:
            try:
                return await self._rows(statement, *arguments)
            except asyncpg.UndefinedTableError:
                # What was read until now was dropped before this process looked again.
                await self.follow()
                return await self._rows(statement, *arguments)
        except (*AWAY, asyncpg.UndefinedTableError) as error:
            _log.warning("database unavailable", reason=repr(error))
            raise DatabaseUnavailable(f"{type(error).__name__}: {error}") from error

    async def _rows(self, statement: str, *arguments: object) -> list[asyncpg.Record]:
        if not self._live:
            await self.follow()
        await self._open.wait()
        self._reading += 1
        self._idle.clear()
        try:
            async with driver(self._engine, search_path(self._live.values())) as pg:
                rows: list[asyncpg.Record] = await pg.fetch(statement, *arguments)
                return rows
        finally:
            self._reading -= 1
            if not self._reading:
                self._idle.set()

    async def row(self, statement: str, *arguments: object) -> asyncpg.Record | None:
        """The one row of a statement, or None; raise `DatabaseUnavailable`."""
        rows = await self.rows(statement, *arguments)
        return rows[0] if rows else None
