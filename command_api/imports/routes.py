"""The route by which a file of patterns is imported."""

import asyncio
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from command_api.answers import json_response
from command_api.decisions.command_shapes import CommandId
from command_api.described import import_body, import_responses
from command_api.examples import IMPORT
from command_api.imports.commands import plan
from command_api.imports.running import Import, counts, dry_results
from command_api.prefer import wait_seconds
from command_api.routes import TeamId, sender_of
from command_api.service import is_pending
from events.json_text import MAX_DEPTH
from runtime.authentication import check_known
from runtime.rate_limits.limiting import charge, charge_bytes
from runtime.settings import Settings
from runtime.uploads.kinds import Kind
from runtime.uploads.limits import Limits
from runtime.uploads.receiving import Received, receive
from runtime.uploads.rows import RowFile, read_rows

TAKEN = frozenset({Kind.JSON, Kind.NDJSON})
KEY = "patterns"
"""The member under which a JSON object has its patterns."""
_AROUND = 1
"""Levels of JSON that a command has around a pattern."""

ROWS_AS_ONE = 10
"""Rows of a file that count as one command against rate limits: a whole file has to fit into a minute."""

router = APIRouter(
    prefix="/api/v1/teams/{team_id}/imports", tags=["commands"], dependencies=[Depends(check_known)]
)


class ImportQuery(BaseModel):
    """Which import it is, and whether it is one."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    import_id: Annotated[
        CommandId,
        Field(
            description="A version 7 UUID, made by the client: the same file under it is imported once",
            examples=[IMPORT],
        ),
    ]
    dry_run: Annotated[bool, Field(description="Say which rows are patterns, and record nothing")] = False


@router.post(
    "",
    summary="Import a file of patterns",
    openapi_extra=import_body(),
    responses=import_responses(),
)
async def import_patterns(
    team_id: TeamId, query: Annotated[ImportQuery, Query()], request: Request
) -> Response:
    """Each row becomes a `record_pattern` of its own, and has its own result; a bad row hinders no other.

    The file is the body, or the one file of a form, also compressed with gzip. A file that is broken as such
    is refused, and nothing of it is taken. Sent again under the same `import_id` it gets the same results.
    """
    settings: Settings = request.app.state.settings
    sender = sender_of(team_id, request)
    received = await receive(request)
    file = await asyncio.to_thread(_opened, received, settings)
    drawn = await charge_bytes(request, file.size)
    planned = await asyncio.to_thread(plan, file, team_id, query.import_id, settings.max_command_bytes)
    if query.dry_run:
        results = dry_results(planned)
    else:
        wait_s = wait_seconds(
            ", ".join(request.headers.getlist("prefer")),
            default=settings.default_wait_s,
            most=settings.max_wait_s,
        )
        running = Import(request.app.state.command_api, sender, settings.max_batch)
        await charge(request, len(planned) // ROWS_AS_ONE - drawn)
        results = await running.run(planned, wait_s)
    body = {
        "import_id": query.import_id,
        "dry_run": query.dry_run,
        "counts": counts(results),
        "rows": results,
    }
    return json_response(body, 202 if is_pending(results) else 200)


def _opened(received: Received, settings: Settings) -> RowFile:
    limits = replace(Limits.of(settings), most_depth=MAX_DEPTH - _AROUND)
    return read_rows(received, TAKEN, KEY, limits)
