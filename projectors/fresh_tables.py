"""A read model of its own: the tables of `library` as of a point, in a schema that nothing else uses.

It has no checkpoints, since it is not to be fed: it stays what the log was.
"""

import re
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager

from asyncpg import Connection

from evidence.tiles import Edges, Place
from projectors.chain import TeamLog
from projectors.fold import Fold
from projectors.generation_tables import create_tables, finish_within
from projectors.library import NAME
from projectors.proven import PROVEN, Proven
from projectors.rows import Row, add
from projectors.team_logs import save_logs
from projectors.tree import TILES
from runtime.postgres import create_engine, driver
from runtime.settings import Settings
from runtime.startup_failures import Misconfigured

_NAME = re.compile("(?!pg_)[a-z][a-z0-9_]{0,62}")


class FreshTables:
    """The tables while they are filled."""

    def __init__(self, pg: Connection) -> None:
        self._pg = pg
        self._trees: dict[str, Edges] = {}

    async def take(self, fold: Fold, leaves: Iterable[tuple[str, bytes]]) -> None:
        """Add what the events since the last call add rows for; `leaves` are theirs, with their teams."""
        await self._add(fold, (table for table in PROVEN if table.appended))
        for team_id, leaf in leaves:
            self._trees.setdefault(team_id, Edges()).add(leaf)
        await add(self._pg, "tiles", TILES, _rows(self._trees, Edges.completed))

    async def end(self, fold: Fold, partition: int, log_ids: Sequence[str], logs: dict[str, TeamLog]) -> None:
        """Add the rest of a partition."""
        await self._add(fold, (table for table in PROVEN if not table.appended))
        await add(self._pg, "tree_edges", TILES, _rows(self._trees, Edges.all))
        self._trees = {}
        await save_logs(self._pg, NAME, partition, log_ids[0], logs)

    async def _add(self, fold: Fold, tables: Iterable[Proven]) -> None:
        for table in tables:
            await add(self._pg, table.name, table.columns, fold.rows(table))


def _rows(trees: dict[str, Edges], tiles: Callable[[Edges], list[tuple[Place, bytes]]]) -> list[Row]:
    return [
        (team_id, place.level, place.index, hashes)
        for team_id, edges in trees.items()
        for place, hashes in tiles(edges)
    ]


@asynccontextmanager
async def fresh_tables(settings: Settings, schema: str) -> AsyncIterator[FreshTables]:
    """Make the tables; they are there when all of it has gone well, and not before.

    Raise `Misconfigured` for a schema that is there already, or whose name is no plain one.
    """
    if _NAME.fullmatch(schema) is None:
        raise Misconfigured(f"{schema!r} is no name for a schema: small letters, digits and _")
    engine = create_engine(settings, "patternlog-replay", statement_timeout="0", search_path=schema)
    try:
        async with driver(engine) as pg, pg.transaction():
            if await pg.fetchval("SELECT to_regnamespace($1)", schema) is not None:
                raise Misconfigured(f"the schema {schema} is there already: name one that is not")
            await create_tables(pg, NAME, schema)
            yield FreshTables(pg)
            await finish_within(pg, NAME, schema)
    finally:
        await engine.dispose()
