"""A page of ready-made JSON and where the team's log stood, from one statement and so from one snapshot."""

from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from read_api.database import Database
from read_api.positions import LOG, Position, position_of

PAGE_BYTES = 8 * 1024 * 1024
"""A page ends early when its items come to more, so that large patterns cannot exhaust memory."""

# Sizes are known without reading what Postgres keeps out of line, and items that do not fit are not made.
_PAGE = """
SELECT log.*, number, {place},
       CASE WHEN number <= $2 AND size_with - size < {page_bytes} THEN convert_to({item}, 'UTF8') END AS item
  FROM ({log} AND team_id = $1) AS log
  LEFT JOIN (SELECT *, row_number() OVER place AS number, sum(size) OVER place AS size_with
               FROM ({rows} ORDER BY {order} LIMIT $2 + 1) AS found
             WINDOW place AS (ORDER BY {order} ROWS UNBOUNDED PRECEDING)) AS page ON true
"""
_NUMBER, _PLACE = 3, slice(4, -1)

_MERGED = "SELECT * FROM ({walks}) AS merged"
_WALK = "({rows} ORDER BY {order} LIMIT $2 + 1)"

Place = tuple[Any, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """Items as JSON text; the next page, if there is one, begins after `next_place`."""

    position: Position
    parts: list[bytes]
    next_place: Place | None

    @property
    def items(self) -> bytes:
        """The items with commas between."""
        return b",".join(self.parts)


def page_statement(*, rows: str, item: str, place: str, order: str) -> str:
    """The statement of a page; $1 is the team, $2 the most rows.

    `rows` selects them in no order, with their `size` in bytes. `item` is the text of one, and `place` is
    where it stands in `order`: expressions of their columns.
    """
    return _PAGE.format(log=LOG, page_bytes=PAGE_BYTES, rows=rows, item=item, place=place, order=order)


def merged_rows(walks: Sequence[str], order: str) -> str:
    """The rows of several walks, of which each has an index in that order, and no more than a page needs."""
    if len(walks) == 1:
        return walks[0]
    return _MERGED.format(walks=" UNION ALL ".join(_WALK.format(rows=rows, order=order) for rows in walks))


async def read_page(
    database: Database, statement: str, team_id: str, limit: int, *arguments: object
) -> Page | None:
    """One page; None for a team that has no log."""
    rows = await database.rows(statement, team_id, limit, *arguments)
    if not rows:
        return None
    # The rows of a join come in no promised order, and Postgres would sort them with all that they carry.
    rows.sort(key=itemgetter(_NUMBER))
    items = [item for row in rows if (item := row[-1]) is not None]
    has_more = 0 < len(items) < len(rows)
    return Page(
        position=position_of(rows[0]),
        parts=items,
        next_place=tuple(rows[len(items) - 1])[_PLACE] if has_more else None,
    )
