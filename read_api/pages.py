"""A page of ready-made JSON and where the team's log stood, from one statement and so from one snapshot."""

from dataclasses import dataclass

from read_api.database import Database
from read_api.positions import LOG, Position, position_of
from read_api.problems import unknown_team

PAGE_BYTES = 8 * 1024 * 1024
"""A page ends early when its items come to more, so that large patterns cannot exhaust memory."""

# Sizes are known without reading what Postgres keeps out of line. One order serves all, that of the index,
# so nothing is sorted: the last place is found by its number.
_PAGE = """
SELECT log.*, page.*
  FROM ({log} AND team_id = $1) AS log
 CROSS JOIN (
       SELECT convert_to(string_agg({item}, ',' ORDER BY {order}) FILTER (WHERE fits), 'UTF8') AS items,
              (array_agg({place} ORDER BY {order}) FILTER (WHERE fits))[count(*) FILTER (WHERE fits)] AS last,
              count(*) FILTER (WHERE NOT fits) > 0 AS has_more
         FROM (SELECT *, number <= $2 AND size_with - size < {page_bytes} AS fits
                 FROM (SELECT *, row_number() OVER place AS number, sum(size) OVER place AS size_with
                         FROM ({rows} ORDER BY {order} LIMIT $2 + 1) AS found
                       WINDOW place AS (ORDER BY {order} ROWS UNBOUNDED PRECEDING)) AS counted) AS judged
       ) AS page
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """Items as JSON text with commas between; `last` is the place of the last one, as text."""

    position: Position
    items: bytes
    last: str | None
    has_more: bool

    @property
    def next_place(self) -> str | None:
        """The place after which the next page begins; None when there is none."""
        return self.last if self.has_more else None


def page_statement(*, rows: str, item: str, place: str, order: str) -> str:
    """The statement of a page; $1 is the team, $2 the most rows.

    `rows` selects them in no order, with their `size` in bytes. `item` and `place` are texts made of their
    columns.
    """
    return _PAGE.format(log=LOG, page_bytes=PAGE_BYTES, rows=rows, item=item, place=place, order=order)


async def read_page(database: Database, statement: str, team_id: str, limit: int, *arguments: object) -> Page:
    """One page; raise `Problem` 404 `unknown_team`."""
    row = await database.row(statement, team_id, limit, *arguments)
    if row is None:
        raise unknown_team(team_id)
    return Page(
        position=position_of(row), items=row["items"] or b"", last=row["last"], has_more=row["has_more"]
    )
