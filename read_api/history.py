"""History: every version of one pattern, deleted ones included."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import Response

from events.json_text import dump
from read_api.answers import PAGED, UNKNOWN_PATTERN, answers
from read_api.documents import HistoryPage
from read_api.etags import json_answer
from read_api.pages import page_statement
from read_api.paging import MAX_ORDINAL, ORDINAL, next_page, read_page_token
from read_api.parameters import PastReading, PatternId, TeamId
from read_api.points import VERSION_AT, sequences
from read_api.problems import unknown_pattern
from read_api.reader import CurrentReader, shown

MAX_LIMIT = 1000

Order = Literal["asc", "desc"]

ROWS = """
SELECT version, item, octet_length(item) AS size
  FROM history WHERE team_id = $1 AND pattern_id = $3 AND version {after} $4
"""


_UP_TO = " AND version <= " + VERSION_AT.format(pattern_id="$3", point="$5")


def _statement(after: str, order: Order, up_to: str = "") -> str:
    rows = ROWS.format(after=after) + up_to
    return page_statement(rows=rows, item="item", place="version", order=f"version {order}")


STATEMENTS: dict[Order, str] = {"asc": _statement(">", "asc"), "desc": _statement("<", "desc")}
STATEMENTS_AT: dict[Order, str] = {
    "asc": _statement(">", "asc", _UP_TO),
    "desc": _statement("<", "desc", _UP_TO),
}
BEFORE_FIRST: dict[Order, tuple[int]] = {"asc": (0,), "desc": (MAX_ORDINAL,)}

router = APIRouter(tags=["history"])


class HistoryQuery(PastReading):
    """Which versions."""

    order: Annotated[Order, Field(description="asc: oldest first; desc: newest first")] = "asc"
    limit: Annotated[int, Field(ge=1, le=MAX_LIMIT, description="Most versions in one page")] = 100
    page: Annotated[str | None, Field(description="`next_page` of an earlier answer")] = None


@router.get(
    "/patterns/{pattern_id}/history",
    summary="A pattern's versions",
    responses=answers(HistoryPage, UNKNOWN_PATTERN, *PAGED, etag=False),
)
async def list_history(
    team_id: TeamId, pattern_id: PatternId, query: Annotated[HistoryQuery, Query()], reader: CurrentReader
) -> Response:
    """What happened to a pattern, who did it and when, and its fields after it; also of a deleted pattern.

    With `as_of`, what had happened by then.
    """
    question = ["history", team_id, pattern_id, query.order, query.as_of]
    place = BEFORE_FIRST[query.order]
    if query.page is not None:
        place = read_page_token(query.page, question, ORDINAL)
    point = await reader.look_back(team_id, query, query.page)
    statement = (STATEMENTS if point is None else STATEMENTS_AT)[query.order]
    asked = [pattern_id, *place, *sequences(point)]
    page = await reader.page(statement, team_id, query.limit, *asked, since=point)
    shown(page.position, point)
    # Versions are never taken away, so a page can only be empty where there are none.
    if not page.items and query.page is None:
        raise unknown_pattern(pattern_id)
    token = next_page(question, page.next_place, point)
    return json_answer(b'{"versions":[', page.items, b'],"next_page":', dump(token), b"}")
