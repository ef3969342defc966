"""To which teams and organizations the sender of a request belongs."""

from typing import Annotated

import orjson
from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from events.json_text import dump
from read_api.answers import ANYWHERE, FORBIDDEN, PAGED, answers
from read_api.etags import json_answer
from read_api.key_lists import BY_ID, MAX_LIMIT
from read_api.paging import page_token, read_page_token
from read_api.people_documents import MyOrganizationsPage, MyTeamsPage
from read_api.problems import forbidden
from read_api.reader import CurrentReader, Reader
from runtime.authentication import principal_of

_NIL = "00000000-0000-0000-0000-000000000000"
TEAMS = """
SELECT team_id::text AS team_id, name, role, organization_id::text AS organization_id
  FROM members JOIN teams USING (team_id)
 WHERE member = $1 AND members.team_id > $2 AND ($4::uuid IS NULL OR members.team_id = $4)
 ORDER BY members.team_id LIMIT $3
"""
ORGANIZATIONS = """
SELECT organization_id::text AS organization_id, name, role, tier
  FROM organization_members AS m JOIN organizations USING (organization_id)
 WHERE member = $1 AND m.organization_id > $2
 ORDER BY m.organization_id LIMIT $3
"""

router = APIRouter(prefix="/api/v1", tags=["members"])


class MineQuery(BaseModel):
    """Which page."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    limit: Annotated[int, Field(ge=1, le=MAX_LIMIT, description="Most items in one page")] = 100
    page: Annotated[str | None, Field(description="`next_page` of an earlier answer")] = None


@router.get("/teams", summary="My teams", responses=answers(MyTeamsPage, *PAGED, etag=False, always=ANYWHERE))
async def list_my_teams(
    request: Request, query: Annotated[MineQuery, Query()], reader: CurrentReader
) -> Response:
    """The teams to which the sender belongs, by id; with a key that is good for one team, that one."""
    team_id = principal_of(request).team_id
    return await _page(reader, "teams", TEAMS, query, team_id)


@router.get(
    "/organizations",
    summary="My organizations",
    responses=answers(MyOrganizationsPage, FORBIDDEN, *PAGED, etag=False, always=ANYWHERE),
)
async def list_my_organizations(
    request: Request, query: Annotated[MineQuery, Query()], reader: CurrentReader
) -> Response:
    """The organizations to which the sender belongs, by id."""
    if principal_of(request).team_id is not None:
        raise forbidden("the key is good for one team")
    return await _page(reader, "organizations", ORGANIZATIONS, query)


async def _page(reader: Reader, of: str, statement: str, query: MineQuery, *arguments: object) -> Response:
    actor = principal_of(reader.request).actor
    question = [of, actor]
    (after,) = (_NIL,) if query.page is None else read_page_token(query.page, question, BY_ID)
    rows = await reader.database.rows(statement, actor, after, query.limit + 1, *arguments)
    shown = rows[: query.limit]
    token = page_token(question, (shown[-1][0],)) if len(rows) > query.limit else None
    items = b",".join(orjson.dumps(dict(row)) for row in shown)
    return json_answer(b'{"%b":[' % of.encode(), items, b"],", dump({"next_page": token})[1:])
