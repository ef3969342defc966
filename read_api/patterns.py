"""Patterns: lists with filters and sorts, and one by its id."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from events.json_text import dump
from read_api.documents import PatternDocument, PatternsPage, answers
from read_api.etags import json_answer, not_modified
from read_api.paging import page_token, read_page_token
from read_api.parameters import PatternId, Reading, TeamId
from read_api.pattern_list import ITEM, SORTS, PatternsQuery, list_statement
from read_api.positions import LOG
from read_api.problems import pattern_deleted, unknown_pattern, unknown_team
from read_api.reader import CurrentReader

_ONE = """
SELECT log.*, version, convert_to({item}, 'UTF8') AS item,
       EXISTS (SELECT FROM changes WHERE team_id = $1 AND pattern_id = $2) AS existed
  FROM ({log} AND team_id = $1) AS log
  LEFT JOIN patterns ON patterns.team_id = $1 AND pattern_id = $2
"""
ONE = _ONE.format(item=ITEM, log=LOG)

router = APIRouter(tags=["patterns"])


@router.get("/patterns", summary="Patterns, page by page", responses=answers(PatternsPage, etag=True))
async def list_patterns(
    team_id: TeamId, query: Annotated[PatternsQuery, Query()], reader: CurrentReader
) -> Response:
    """Live patterns by name, unless asked otherwise. Each page shows the library at one moment.

    Go on with `page=<next_page>` and the same filters and sort. To keep a copy in step, use `changes`.
    """
    question, sort = query.question(team_id), SORTS[query.sort]
    place = None if query.page is None else read_page_token(query.page, question, sort.shape)
    await reader.wait(team_id, query)
    if (answer := await reader.unchanged(team_id)) is not None:
        return answer
    statement, arguments = list_statement(team_id, query, place)
    page = await reader.page(statement, team_id, query.limit, *arguments)
    token = page_token(question, page.next_place) if page.next_place else None
    tail = dump({"next_page": token, "cursor": page.position.cursor})[1:]
    return json_answer(b'{"patterns":[', page.items, b"],", tail, etag=reader.etag(page.position))


@router.get(
    "/patterns/{pattern_id}",
    summary="One pattern",
    responses=answers(PatternDocument, etag=True),
)
async def get_pattern(
    team_id: TeamId, pattern_id: PatternId, reading: Annotated[Reading, Query()], reader: CurrentReader
) -> Response:
    """A live or archived pattern; 410 `pattern_deleted` for one that is gone."""
    await reader.wait(team_id, reading)
    row = await reader.database.row(ONE, team_id, pattern_id)
    if row is None:
        raise unknown_team(team_id)
    if row["item"] is None:
        raise pattern_deleted(pattern_id) if row["existed"] else unknown_pattern(pattern_id)
    etag = f'"{reader.service.log_id}.{pattern_id}.{row["version"]}"'
    if reader.holds(etag):
        return not_modified(etag)
    return json_answer(row["item"], etag=etag)
