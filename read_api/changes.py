"""Changes since a cursor: the latest state of each pattern that changed, by sequence, tombstones included."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import Response

from events.json_text import dump
from read_api.answers import answers
from read_api.documents import ChangesPage
from read_api.etags import json_answer
from read_api.pages import page_statement
from read_api.parameters import Reading, TeamId
from read_api.positions import read_cursor
from read_api.reader import CurrentReader

MAX_LIMIT = 5000

_ROWS = """
SELECT sequence, item, octet_length(item) AS size FROM changes WHERE team_id = $1 AND sequence > $3
"""
STATEMENT = page_statement(rows=_ROWS, item="item", place="sequence", order="sequence")

router = APIRouter(tags=["changes"])


class ChangesQuery(Reading):
    """Which changes."""

    cursor: Annotated[str | None, Field(description="From an earlier answer; without it, from nothing")] = (
        None
    )
    limit: Annotated[int, Field(ge=1, le=MAX_LIMIT, description="Most changes in one page")] = 1000


@router.get("/changes", summary="Changes since a cursor", responses=answers(ChangesPage, etag=True))
async def list_changes(
    team_id: TeamId, query: Annotated[ChangesQuery, Query()], reader: CurrentReader
) -> Response:
    """Each pattern comes once, in its latest state, at the sequence of its last event.

    Go on with `cursor` as long as `has_more`; keep it, and ask again later for what happened since.
    """
    since = read_cursor(query.cursor, team_id)
    await reader.wait(team_id, query)
    if (answer := await reader.unchanged(team_id, since)) is not None:
        return answer
    after = since.sequence if since else 0
    page = await reader.page(STATEMENT, team_id, query.limit, after, since=since)
    # A cursor from a write can be ahead of the read models; it never goes back.
    has_more = page.next_place is not None
    seen = page.next_place[0] if page.next_place else max(page.position.sequence, after)
    tail = dump({"cursor": page.position.cursor_at(seen), "has_more": has_more})[1:]
    return json_answer(b'{"changes":[', page.items, b"],", tail, etag=reader.etag(page.position.cursor))
