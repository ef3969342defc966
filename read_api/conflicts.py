"""Conflicts: edits that could not be merged, open ones and those that ended."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import Response

from events.cursor import Cursor
from events.json_text import dump
from read_api.answers import PAGED, UNKNOWN_CONFLICT, answers
from read_api.documents import ConflictDocument, ConflictsPage, ConflictStatus
from read_api.etags import json_answer, not_modified
from read_api.pages import merged_rows, page_statement
from read_api.paging import ORDINAL, next_page, read_page_token
from read_api.parameters import ConflictId, Id, PastReading, TeamId
from read_api.points import sequences
from read_api.positions import LOG, position_of
from read_api.problems import unknown_conflict, unknown_team
from read_api.reader import CurrentReader, shown

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
  FROM {table} WHERE team_id = $1 AND {column} = '{status}' AND sequence > $3{condition}
"""
_AT = """
(SELECT team_id, conflict_id, pattern_id, sequence, item, status AS became, closed_at,
        CASE WHEN closed_at <= {point} THEN status ELSE 'open' END AS status,
        CASE WHEN closed_at <= {point} THEN closing END AS closing
   FROM (SELECT *, (closing::json ->> 'sequence')::bigint AS closed_at FROM conflicts) AS conflicts
  WHERE sequence <= {point}) AS conflicts
"""
"""Conflicts as they were at a point, and what they became: of those that ended, `closing` tells when."""
_ITEM = """
left(item, -1) || ',"status":"' || status || '","closed":' || coalesce(closing, 'null') || '}'
"""
_ONE = """
SELECT log.*, status, convert_to({item}, 'UTF8') AS item
  FROM ({log} AND team_id = $1) AS log
  LEFT JOIN {table} ON conflicts.team_id = $1 AND conflict_id = $2
"""
ONE = _ONE.format(item=_ITEM, log=LOG, table="conflicts")
ONE_AT = _ONE.format(item=_ITEM, log=LOG, table=_AT.format(point="$3"))

router = APIRouter(tags=["conflicts"])


class ConflictsQuery(PastReading):
    """Which conflicts; filters combine."""

    status: Annotated[Status, Field(description="Which conflicts")] = "open"
    pattern_id: Annotated[Id | None, Field(description="Of this pattern only")] = None
    limit: Annotated[int, Field(ge=1, le=MAX_LIMIT, description="Most conflicts in one page")] = 100
    page: Annotated[str | None, Field(description="`next_page` of an earlier answer")] = None


def list_statement(
    query: ConflictsQuery, after: int, point: Cursor | None = None
) -> tuple[str, list[object]]:
    """The statement for a query from after a sequence on, and its arguments from $3 on."""
    arguments: list[object] = [after]
    wanted, condition = _STATUSES[query.status], ""
    if query.pattern_id is not None:
        arguments.append(query.pattern_id)
        condition = " AND pattern_id = $4"
    if point is None:
        walks = [_walk("conflicts", "status", status, condition) for status in wanted]
    else:
        arguments.append(point.sequence)
        walks = _walks_at(f"${len(arguments) + 2}", wanted, condition)
    rows = merged_rows(walks, "sequence")
    return page_statement(rows=rows, item=_ITEM, place="sequence", order="sequence"), arguments


def _walks_at(point: str, wanted: Sequence[ConflictStatus], condition: str) -> list[str]:
    """The walks of a point: what was open then can be anything now, and what has ended had not always."""
    table, walks = _AT.format(point=point), []
    for became in _STATUSES["any"]:
        if "open" not in wanted and became in wanted:
            walks.append(_walk(table, "became", became, f"{condition} AND closed_at <= {point}"))
        elif "open" in wanted:
            still = "" if became in wanted else f" AND closed_at > {point}"
            walks.append(_walk(table, "became", became, condition + still))
    return walks


def _walk(table: str, column: str, status: str, condition: str) -> str:
    return _ROWS.format(table=table, column=column, status=status, condition=condition)


@router.get(
    "/conflicts",
    summary="Conflicts, page by page",
    responses=answers(ConflictsPage, *PAGED, etag=True),
)
async def list_conflicts(
    team_id: TeamId, query: Annotated[ConflictsQuery, Query()], reader: CurrentReader
) -> Response:
    """Open conflicts, unless asked otherwise, in the order in which they were detected.

    Go on with `page=<next_page>` and the same filters. Conflicts of deleted patterns have ended as `deleted`.
    With `as_of`, `status` is what it was then, and so is `closed`.
    """
    question = ["conflicts", team_id, query.status, query.pattern_id, query.as_of]
    (after,) = (0,) if query.page is None else read_page_token(query.page, question, ORDINAL)
    point = await reader.look_back(team_id, query, query.page)
    if (answer := await reader.unchanged(team_id, point=point)) is not None:
        return answer
    statement, arguments = list_statement(query, after, point)
    page = await reader.page(statement, team_id, query.limit, *arguments, since=point)
    position = shown(page.position, point)
    token = next_page(question, page.next_place, point)
    tail = dump({"next_page": token, "cursor": position.cursor})[1:]
    return json_answer(b'{"conflicts":[', page.items, b"],", tail, etag=reader.etag(position.cursor))


@router.get(
    "/conflicts/{conflict_id}",
    summary="One conflict",
    responses=answers(ConflictDocument, UNKNOWN_CONFLICT, etag=True),
)
async def get_conflict(
    team_id: TeamId, conflict_id: ConflictId, reading: Annotated[PastReading, Query()], reader: CurrentReader
) -> Response:
    """An edit that could not be merged: each field as both sides have it, and how the conflict ended."""
    point = await reader.look_back(team_id, reading)
    statement = ONE if point is None else ONE_AT
    row = await reader.database.row(statement, team_id, conflict_id, *sequences(point))
    if row is None:
        raise unknown_team(team_id)
    shown(position_of(row), point)
    if row["item"] is None:
        raise unknown_conflict(conflict_id)
    etag = f'"{reader.service.log_id}.{conflict_id}.{row["status"]}"'
    if reader.holds(etag):
        return not_modified(etag)
    return json_answer(row["item"], etag=etag)
