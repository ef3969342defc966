"""Blame: which event set each field's present value, and each line of its texts."""

import asyncio
from collections.abc import Collection
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic_core import from_json
from starlette.responses import Response

from events.cursor import Cursor
from events.json_text import dump
from events.pattern import DeletedPattern, Pattern, stream_of
from events.registry import from_shape
from read_api.answers import PATTERN_DELETED, UNKNOWN_PATTERN, answers
from read_api.blaming import Blame, Edit
from read_api.documents import BlameDocument, EventDocument
from read_api.etags import json_answer, not_modified, weak
from read_api.heads import read_heads
from read_api.history import ROWS
from read_api.pages import page_statement
from read_api.paging import MAX_ORDINAL
from read_api.parameters import PatternId, Reading, TeamId
from read_api.problems import not_yet_visible, pattern_deleted, unknown_pattern
from read_api.reader import CurrentReader, Reader

PAGE_VERSIONS = 500
MAX_VERSIONS = 10_000
"""Versions that one blame reads at the most, page by page, and the last page to its end."""
MAX_BYTES = 64 * 1024 * 1024
"""The same of their history, which Postgres reads and of which only the events come here."""

_EDIT = """
(SELECT json_build_object('version', version, 'size', size, 'type', event.type, 'data', event.data)::text
   FROM json_to_record(item::json) AS event (type json, data json))
"""
EDITS = page_statement(rows=ROWS.format(after="<"), item=_EDIT, place="version", order="version DESC")

_EVENTS = """
SELECT version, convert_to((SELECT row_to_json(event)::text
                              FROM json_to_record(item::json) AS event ({members})), 'UTF8') AS event
  FROM history WHERE team_id = $1 AND pattern_id = $2 AND version = ANY ($3::bigint[]) ORDER BY version
"""
EVENTS = _EVENTS.format(members=", ".join(f"{name} json" for name in EventDocument.model_fields))

router = APIRouter(tags=["history"])


@router.get(
    "/patterns/{pattern_id}/blame",
    summary="Where a pattern's fields and lines are from",
    responses=answers(BlameDocument, UNKNOWN_PATTERN, PATTERN_DELETED, etag=True),
)
async def get_blame(
    team_id: TeamId, pattern_id: PatternId, reading: Annotated[Reading, Query()], reader: CurrentReader
) -> Response:
    """By field the version that set its present value, and by line of a text the version that wrote it.

    A history that is too long leaves its oldest lines open: they are null, and older than `before`.
    """
    await reader.wait(team_id, reading)
    stream = stream_of(pattern_id)
    heads = await read_heads(reader.database, team_id, stream)
    pattern, position = heads.states.get(stream), heads.position
    if isinstance(pattern, DeletedPattern):
        raise pattern_deleted(pattern_id)
    if not isinstance(pattern, Pattern):
        raise unknown_pattern(pattern_id)
    etag = weak(f"{position.log_id}.{pattern_id}.{pattern.version}.{heads.team.version}")
    if reader.holds(etag):
        return not_modified(etag)
    blame = Blame(pattern, heads.team.rules)
    since = Cursor(log_id=position.log_id, team_id=team_id, sequence=position.sequence)
    await _go_back(reader, blame, pattern_id, since)
    events = await _events(reader, team_id, pattern_id, blame.versions)
    head = dump({"pattern_id": pattern_id, "version": pattern.version})[:-1]
    tail = dump({"fields": blame.fields(), "cursor": position.cursor})[1:]
    return json_answer(head, b',"versions":{', events, b"},", tail, etag=etag)


async def _go_back(reader: Reader, blame: Blame, pattern_id: str, since: Cursor) -> None:
    """Read the history backwards until every line is accounted for, or enough has been read."""
    place, versions, size = MAX_ORDINAL, 0, 0
    while (before := blame.before) is not None and versions < MAX_VERSIONS and size < MAX_BYTES:
        asked = (since.team_id, PAGE_VERSIONS, pattern_id, min(before, place))
        page = await reader.page(EDITS, *asked, since=since)
        # It takes its time, in which other requests are to be answered.
        versions_of_page, size_of_page = await asyncio.to_thread(_take, blame, page.items)
        if page.next_place is None:
            return
        versions, size, (place,) = versions + versions_of_page, size + size_of_page, page.next_place


def _take(blame: Blame, items: bytes) -> tuple[int, int]:
    """Let the blame go back through a page; return how many versions and bytes it is made of."""
    rows = from_json(b"[" + items + b"]")
    blame.go_back(Edit(version=row["version"], event=from_shape(row["type"], row["data"])) for row in rows)
    return len(rows), sum(row["size"] for row in rows)


async def _events(reader: Reader, team_id: str, pattern_id: str, versions: Collection[int]) -> bytes:
    """What is told of the events that made these versions, as members of a JSON object."""
    rows = await reader.database.rows(EVENTS, team_id, pattern_id, sorted(versions))
    if len(rows) < len(versions):
        # Versions are never taken away: the read models are being made anew.
        raise not_yet_visible()
    return b",".join(b'"%d":%b' % (row["version"], row["event"]) for row in rows)
