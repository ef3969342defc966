"""Conflicts: edits that could not be merged, open ones and those that ended."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import Response

from events.json_text import dump
from read_api.documents import ConflictDocument, ConflictsPage, ConflictStatus, answers
from read_api.etags import json_answer, not_modified
from read_api.pages import merged_rows, page_statement
from read_api.paging import ORDINAL, page_token, read_page_token
from read_api.parameters import ConflictId, Id, Reading, TeamId
from read_api.positions import LOG
from read_api.problems import unknown_conflict, unknown_team
from read_api.reader import CurrentReader

MAX_LIMIT = 1000

Status = Literal["open", "resolved", "abandoned", "deleted", "any"]

_STATUSES: Mapping[Status, Sequence[ConflictStatus]] = {
    "open": ("open",),
    "resolved": ("resolved",),
    "abandoned": ("abandoned",),
    "deleted": ("deleted",),
    "any": ("open", "resolved", "abandoned", "deleted"),
}
_ROWS = """
SELECT sequence, status, item, closing, octet_length(item) + coalesce(octet_length(closing), 0) AS size
  FROM conflicts WHERE team_id = $1 AND status = '{status}' AND sequence > $3{condition}
"""
_ITEM = """
left(item, -1) || ',"status":"' || status || '","closed":' || coalesce(closing, 'null') || '}'
"""
_ONE = """
SELECT log.*, status, convert_to({item}, 'UTF8') AS item
  FROM ({log} AND team_id = $1) AS log
  LEFT JOIN conflicts ON conflicts.team_id = $1 AND conflict_id = $2
"""
ONE = _ONE.format(item=_ITEM, log=LOG)

router = APIRouter(tags=["conflicts"])


class ConflictsQuery(Reading):
    """Which conflicts; filters combine."""

    status: Annotated[Status, Field(description="Which conflicts")] = "open"
    pattern_id: Annotated[Id | None, Field(description="Of this pattern only")] = None
    limit: Annotated[int, Field(ge=1, le=MAX_LIMIT, description="Most conflicts in one page")] = 100
    page: Annotated[str | None, Field(description="`next_page` of an earlier answer")] = None


def list_statement(query: ConflictsQuery, after: int) -> tuple[str, list[object]]:
    """The statement for a query from after a sequence on, and its arguments from $3 on."""
    patterns = [] if query.pattern_id is None else [query.pattern_id]
    condition = " AND pattern_id = $4" if patterns else ""
    walks = [_ROWS.format(status=status, condition=condition) for status in _STATUSES[query.status]]
    rows = merged_rows(walks, "sequence")
    return page_statement(rows=rows, item=_ITEM, place="sequence", order="sequence"), [after, *patterns]


@router.get("/conflicts", summary="Conflicts, page by page", responses=answers(ConflictsPage, etag=True))
async def list_conflicts(
    team_id: TeamId, query: Annotated[ConflictsQuery, Query()], reader: CurrentReader
) -> Response:
    """Open conflicts, unless asked otherwise, in the order in which they were detected.

    Go on with `page=<next_page>` and the same filters. Conflicts of deleted patterns have ended as `deleted`.
    """
    question = ["conflicts", team_id, query.status, query.pattern_id]
    (after,) = (0,) if query.page is None else read_page_token(query.page, question, ORDINAL)
    await reader.wait(team_id, query)
    if (answer := await reader.unchanged(team_id)) is not None:
        return answer
    statement, arguments = list_statement(query, after)
    page = await reader.page(statement, team_id, query.limit, *arguments)
    token = page_token(question, page.next_place) if page.next_place else None
    tail = dump({"next_page": token, "cursor": page.position.cursor})[1:]
    return json_answer(b'{"conflicts":[', page.items, b"],", tail, etag=reader.etag(page.position))


@router.get(
    "/conflicts/{conflict_id}",
    summary="One conflict",
    responses=answers(ConflictDocument, etag=True),
)
async def get_conflict(
    team_id: TeamId, conflict_id: ConflictId, reading: Annotated[Reading, Query()], reader: CurrentReader
) -> Response:
    """An edit that could not be merged: each field as both sides have it, and how the conflict ended."""
    await reader.wait(team_id, reading)
    row = await reader.database.row(ONE, team_id, conflict_id)
    if row is None:
        raise unknown_team(team_id)
    if row["item"] is None:
        raise unknown_conflict(conflict_id)
    etag = f'"{reader.service.log_id}.{conflict_id}.{row["status"]}"'
    if reader.holds(etag):
        return not_modified(etag)
    return json_answer(row["item"], etag=etag)
