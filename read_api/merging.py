"""Merging: how a library merges edits, its policy and the rule of each field."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from events.json_text import dump
from events.merge_rules import DEFAULT_RULE, KNOWN_RULES, rule_of
from read_api.answers import answers
from read_api.documents import MergingDocument
from read_api.etags import json_answer, not_modified, weak
from read_api.heads import read_heads
from read_api.parameters import Reading, TeamId
from read_api.reader import CurrentReader

router = APIRouter(tags=["merging"])


@router.get("/merging", summary="How the library merges", responses=answers(MergingDocument, etag=True))
async def get_merging(
    team_id: TeamId, reading: Annotated[Reading, Query()], reader: CurrentReader
) -> Response:
    """The policy, and the rules: of the known fields, the same in every library, and of the library's own."""
    await reader.wait(team_id, reading)
    heads = await read_heads(reader.database, team_id)
    team, position = heads.team, heads.position
    etag = weak(f"{position.log_id}.{team_id}.{team.version}")
    if reader.holds(etag):
        return not_modified(etag)
    answer = {
        "policy": team.policy,
        "rules": {name: rule_of(name, team.rules) for name in (*KNOWN_RULES, *team.rules)},
        "own": list(team.rules),
        "default": DEFAULT_RULE,
        "cursor": position.cursor,
    }
    return json_answer(dump(answer), etag=etag)
