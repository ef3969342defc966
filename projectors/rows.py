"""Rows in bulk: COPY for new ones, one statement over arrays for the rest, each checked for its count."""

from collections.abc import Iterable, Sequence
from typing import Any

from asyncpg import Connection

from projectors.errors import Disagreement

Row = tuple[Any, ...]


async def copy(pg: Connection, table: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
    """Add rows that are not there."""
    if rows:
        await pg.copy_records_to_table(table, records=rows, columns=columns)


async def change(pg: Connection, statement: str, rows: Sequence[Row]) -> None:
    """Run a statement over rows as parallel arrays; raise `Disagreement` unless it touched each one."""
    if not rows:
        return
    done = await pg.execute(statement, *arrays(rows))
    if done.rpartition(" ")[2] != str(len(rows)):
        raise Disagreement(f"{done} where {len(rows)} rows should be: {' '.join(statement.split()[:3])}")


def arrays(rows: Iterable[Row]) -> list[list[Any]]:
    """Rows as columns, for unnest."""
    return [list(column) for column in zip(*rows, strict=True)]
