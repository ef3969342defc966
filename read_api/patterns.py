"""Patterns: lists with filters and sorts, and one by its id."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from events.json_text import dump
from read_api.answers import PAGED, PATTERN_DELETED, UNKNOWN_PATTERN, answers
from read_api.documents import PatternDocument, PatternsPage
from read_api.etags import json_answer, not_modified
from read_api.paging import next_page, read_page_token
from read_api.parameters import PastReading, PatternId, TeamId
from read_api.pattern_list import ITEM, PAST_ITEM, SORTS, PatternsQuery, list_statement
from read_api.points import VERSION_AT, sequences
from read_api.positions import LOG, position_of
from read_api.problems import pattern_deleted, unknown_pattern, unknown_team
from read_api.reader import CurrentReader, shown

_ONE = """
SELECT log.*, version, convert_to({item}, 'UTF8') AS item,
       EXISTS (SELECT FROM changes WHERE team_id = $1 AND pattern_id = $2) AS existed
  FROM ({log} AND team_id = $1) AS log
  LEFT JOIN patterns ON patterns.team_id = $1 AND pattern_id = $2
"""
ONE = _ONE.format(item=ITEM, log=LOG)

_ONE_AT = """
SELECT log.*, version, CASE WHEN archived IS NOT NULL THEN convert_to({item}, 'UTF8') END AS item,
       version IS NOT NULL AS existed
  FROM ({log} AND team_id = $1) AS log
  LEFT JOIN history ON history.team_id = $1 AND pattern_id = $2 AND version = {version}
"""
ONE_AT = _ONE_AT.format(item=PAST_ITEM, log=LOG, version=VERSION_AT.format(pattern_id="$2", point="$3"))

router = APIRouter(tags=["patterns"])


@router.get("/patterns", summary="Patterns, page by page", responses=answers(PatternsPage, *PAGED, etag=True))
async def list_patterns(
    team_id: TeamId, query: Annotated[PatternsQuery, Query()], reader: CurrentReader
) -> Response:
    """Live patterns by name, unless asked otherwise. Each page shows the library at one moment.

    Go on with `page=<next_page>` and the same filters and sort. To keep a copy in step, use `changes`.
    With `as_of`, all pages show the library at that one point.
    """
    question, sort = query.question(team_id), SORTS[query.sort]
    place = None if query.page is None else read_page_token(query.page, question, sort.shape)
    point = await reader.look_back(team_id, query, query.page)
    if (answer := await reader.unchanged(team_id, point=point)) is not None:
        return answer
    statement, arguments = list_statement(team_id, query, place, point)
    page = await reader.page(statement, team_id, query.limit, *arguments, since=point)
    position = shown(page.position, point)
    token = next_page(question, page.next_place, point)
    tail = dump({"next_page": token, "cursor": position.cursor})[1:]
    return json_answer(b'{"patterns":[', page.items, b"],", tail, etag=reader.etag(position.cursor))


@router.get(
    "/patterns/{pattern_id}",
    summary="One pattern",
    responses=answers(PatternDocument, UNKNOWN_PATTERN, PATTERN_DELETED, etag=True),
)
async def get_pattern(
    team_id: TeamId, pattern_id: PatternId, reading: Annotated[PastReading, Query()], reader: CurrentReader
) -> Response:
    """A live or archived pattern; 410 `pattern_deleted` for one that is gone, or was by then."""
    point = await reader.look_back(team_id, reading)
    statement = ONE if point is None else ONE_AT
    row = await reader.database.row(statement, team_id, pattern_id, *sequences(point))
    if row is None:
        raise unknown_team(team_id)
    shown(position_of(row), point)
    if row["item"] is None:
        raise pattern_deleted(pattern_id) if row["existed"] else unknown_pattern(pattern_id)
    etag = f'"{reader.service.log_id}.{pattern_id}.{row["version"]}"'
    if reader.holds(etag):
        return not_modified(etag)
    return json_answer(row["item"], etag=etag)
