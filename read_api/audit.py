"""The audit: every event of a team, who did what and when, and what it changed."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import Response

from events.json_text import dump
from read_api.answers import OF_EITHER, PAGED, answers
from read_api.audit_documents import AuditPage
from read_api.audit_query import AuditFilters, scan_of, tell_json
from read_api.etags import json_answer
from read_api.paging import ORDINAL, next_page, read_page_token
from read_api.parameters import TeamId
from read_api.reader import CurrentReader
from read_api.scanning import Order, read_page

MAX_LIMIT = 1000

router = APIRouter(tags=["audit"])


class AuditQuery(AuditFilters):
    """Which events, and in what order."""

    order: Annotated[Order, Field(description="asc: oldest first; desc: newest first")] = "asc"
    limit: Annotated[int, Field(ge=1, le=MAX_LIMIT, description="Most events in one page")] = 100
    page: Annotated[str | None, Field(description="`next_page` of an earlier answer")] = None


@router.get(
    "/audit",
    summary="Who did what, and when",
    responses=answers(AuditPage, *PAGED, etag=False, always=OF_EITHER),
)
async def list_audit(
    team_id: TeamId, query: Annotated[AuditQuery, Query()], reader: CurrentReader
) -> Response:
    """Every event of the team's log that fits the filters, with what it changed, field by field.

    Go on with `page=<next_page>` and the same filters. A page goes over so many events at the most, and so
    can have few or none although there is another.
    """
    question = ["audit", team_id, query.order, *query.question]
    place = None if query.page is None else read_page_token(query.page, question, ORDINAL)
    await reader.wait(team_id, query)
    scan = await scan_of(reader, team_id, query, query.order, tell_json)
    page = await read_page(reader, scan if place is None else scan.after(place), query.limit)
    token = next_page(question, page.next_place)
    tail = dump({"next_page": token, "cursor": page.position.cursor})[1:]
    return json_answer(b'{"entries":[', page.items, b"],", tail)
