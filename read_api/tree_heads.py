"""Tree heads: what the service has signed of a team's log, and the keys that it signs with."""

from datetime import UTC, datetime
from typing import Annotated

import asyncpg
from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import PlainTextResponse, Response

from events.json_text import Json, dump
from evidence.key_notes import keys_of
from evidence.notes import parse_note
from evidence.tree_heads import parse_head
from read_api.answers import ANYWHERE, NO_TREE_HEAD, OF_EITHER, PAGED, answers
from read_api.documents import SigningKeysDocument, TreeHeadDocument, TreeHeadsPage
from read_api.encoding import base64_of
from read_api.etags import json_answer
from read_api.examples import NOTE
from read_api.paging import MAX_ORDINAL, ORDINAL, page_token, read_page_token
from read_api.parameters import Reading, TeamId
from read_api.problems import no_tree_head
from read_api.reader import CurrentReader
from runtime.openapi.problems import Responses

MAX_LIMIT = 1000
Size = Annotated[int, Field(ge=0, le=MAX_ORDINAL)]

_HEADS = """
SELECT size, root, time_s, note FROM tree_heads WHERE team_id = $1 AND log_id = $2 AND size
"""
LATEST = _HEADS + "<= $3 ORDER BY size DESC LIMIT 1"
EXACT = _HEADS + "= $3"
PAGE = _HEADS + "> $3 ORDER BY size LIMIT $4"
KEY_NOTES = 'SELECT note FROM tree_keys ORDER BY "offset"'

router = APIRouter(prefix="/audit", tags=["audit"])
keys_router = APIRouter(prefix="/api/v1/audit", tags=["audit"])


class HeadQuery(Reading):
    """Which head."""

    size: Annotated[Size | None, Field(description="Of exactly this size; without it, the latest")] = None


class HeadsQuery(Reading):
    """Which page of heads."""

    limit: Annotated[int, Field(ge=1, le=MAX_LIMIT, description="Most heads in one page")] = 100
    page: Annotated[str | None, Field(description="`next_page` of an earlier answer")] = None


def _of_a_head() -> Responses:
    responses = answers(TreeHeadDocument, NO_TREE_HEAD, etag=False, always=OF_EITHER)
    responses[200]["content"]["text/plain"] = {"schema": {"type": "string"}, "example": NOTE}
    return responses


@router.get("/tree-head", summary="A signed tree head", responses=_of_a_head())
async def get_tree_head(
    team_id: TeamId, query: Annotated[HeadQuery, Query()], reader: CurrentReader
) -> Response:
    """The size and the root of the log's Merkle tree, signed; `text/plain` gets the note alone."""
    log_id = (await reader.position(team_id, query)).log_id
    statement, size = (LATEST, MAX_ORDINAL) if query.size is None else (EXACT, query.size)
    row = await reader.database.row(statement, team_id, log_id, size)
    if row is None:
        raise no_tree_head(query.size)
    if "text/plain" in reader.request.headers.get("accept", ""):
        return PlainTextResponse(row["note"])
    return json_answer(dump(_head(row)))


@router.get(
    "/tree-heads",
    summary="All signed tree heads",
    responses=answers(TreeHeadsPage, *PAGED, etag=False, always=OF_EITHER),
)
async def list_tree_heads(
    team_id: TeamId, query: Annotated[HeadsQuery, Query()], reader: CurrentReader
) -> Response:
    """Every head that was signed of the log, from the smallest tree on."""
    log_id = (await reader.position(team_id, query)).log_id
    question: Json = ["tree-heads", team_id, log_id]
    (after,) = (-1,) if query.page is None else read_page_token(query.page, question, ORDINAL)
    rows = await reader.database.rows(PAGE, team_id, log_id, after, query.limit + 1)
    shown = rows[: query.limit]
    token = page_token(question, (shown[-1]["size"],)) if len(rows) > query.limit else None
    return json_answer(dump({"tree_heads": [_head(row) for row in shown], "next_page": token}))


@keys_router.get(
    "/keys",
    summary="The signing keys",
    responses=answers(SigningKeysDocument, etag=False, always=ANYWHERE),
)
async def get_keys(reader: CurrentReader) -> Response:
    """The keys that sign now, and the signed notes that tell of new ones.

    Take the first key that you trust from a person, not from here.
    """
    notes = [row["note"] for row in await reader.database.rows(KEY_NOTES)]
    keys = keys_of(parse_note(notes[-1])) if notes else []
    name = keys[0].name if keys else None
    return json_answer(dump({"name": name, "keys": [key.vkey for key in keys], "notes": notes}))


def _head(row: asyncpg.Record) -> dict[str, Json]:
    at = datetime.fromtimestamp(row["time_s"], UTC)
    return {
        "origin": parse_head(parse_note(row["note"]).text).origin,
        "size": row["size"],
        "root": base64_of(row["root"]),
        "signed_at": at.isoformat().replace("+00:00", "Z"),
        "note": row["note"],
    }
