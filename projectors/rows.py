"""Rows in bulk. One that changes is removed and added anew, since COPY is the cheapest way in."""

from collections.abc import Iterable, Sequence
from typing import Any

from asyncpg import Connection

from projectors.errors import Disagreement

Row = tuple[Any, ...]

_FEW = 20


async def add(pg: Connection, table: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
    """Add rows that are not there: COPY is the quicker for many, and costs a round trip more."""
    if len(rows) > _FEW:
        await pg.copy_records_to_table(table, records=rows, columns=columns)
    elif rows:
        places = ", ".join(f"${number}" for number in range(1, len(columns) + 1))
        statement = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})"  # noqa: S608 - our constants
        await pg.executemany(statement, rows)


async def must_find(pg: Connection, statement: str, rows: Sequence[Row]) -> list[Row]:
    """Remove or change a row for each of these; return what the statement returns of each.

    Raise `Disagreement` unless every one was there.
    """
    if not rows:
        return []
    found = await pg.fetch(statement, *arrays(rows))
    if len(found) != len(rows):
        what = " ".join(statement.split()[:3])
        raise Disagreement(f"{what}: {len(found)} rows where {len(rows)} should be")
    return [tuple(row) for row in found]


def arrays(rows: Iterable[Row]) -> list[list[Any]]:
    """Rows as columns, for unnest."""
    return [list(column) for column in zip(*rows, strict=True)]
