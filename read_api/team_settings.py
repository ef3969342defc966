"""Settings of a team: what holds, where it comes from, and what changed it."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from events.json_text import dump
from read_api.answers import PAGED, answers
from read_api.etags import json_answer
from read_api.key_lists import BY_TEXT, KeyList, ListQuery
from read_api.pages import merged_rows, page_statement
from read_api.paging import ORDINAL, next_page, read_page_token
from read_api.parameters import TeamId
from read_api.people_documents import SettingsHistoryPage, SettingsPage
from read_api.reader import CurrentReader, Reader

SETTINGS = KeyList(
    name="settings",
    rows="""
SELECT name, value, source, sequence, since, octet_length(value) + 256 AS size
  FROM settings WHERE team_id = $1 AND name > $3
""",
    key="name",
    item="'name', name, 'value', value::json, 'source', source",
    shape=BY_TEXT,
)
_CHANGED = """
SELECT sequence, version, type, actor, command_id, recorded_at, data, before,
       octet_length(data) + coalesce(octet_length(before), 0) + 256 AS size
  FROM audit WHERE team_id = $1 AND type = '{type}' AND sequence > $3
"""
_ITEM = """
json_build_object('version', version, 'sequence', sequence, 'type', type, 'actor', actor,
                  'command_id', command_id, 'recorded_at', recorded_at,
                  'data', data::json, 'before', before::json)::text
"""

router = APIRouter(tags=["settings"])


@router.get("/settings", summary="The team's settings", responses=answers(SettingsPage, *PAGED, etag=False))
async def list_settings(
    team_id: TeamId, query: Annotated[ListQuery, Query()], reader: CurrentReader
) -> Response:
    """What holds in the team, and who chose it: what its organization enforces goes before all else."""
    return await SETTINGS.answer(reader, team_id, query)


@router.get(
    "/settings/history",
    summary="What changed the settings",
    responses=answers(SettingsHistoryPage, *PAGED, etag=False),
)
async def list_settings_history(
    team_id: TeamId, query: Annotated[ListQuery, Query()], reader: CurrentReader
) -> Response:
    """The events that changed the team's settings or brought its organization's, oldest first."""
    types = ("team.settings_changed.v1", "team.organization_applied.v1")
    return await settings_history(reader, team_id, query, types)


def history_statement(types: Sequence[str]) -> str:
    """The statement of a page of events of some types; $3 is the sequence after which it begins."""
    rows = merged_rows([_CHANGED.format(type=one) for one in types], "sequence")
    return page_statement(rows=rows, item=_ITEM, place="sequence", order="sequence")


async def settings_history(reader: Reader, log: str, query: ListQuery, types: Sequence[str]) -> Response:
    """A page of the events of some types."""
    question = ["settings/history", log]
    (after,) = (0,) if query.page is None else read_page_token(query.page, question, ORDINAL)
    await reader.wait(log, query)
    page = await reader.page(history_statement(types), log, query.limit, after)
    token = next_page(question, page.next_place)
    tail = dump({"next_page": token, "cursor": page.position.cursor})[1:]
    return json_answer(b'{"changes":[', page.items, b"],", tail)
