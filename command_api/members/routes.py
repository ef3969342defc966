"""The route by which many members are added, changed and removed at once."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from command_api.answers import json_response
from command_api.command_log import Sender
from command_api.decisions.command_shapes import CommandId
from command_api.described import members_body, members_responses
from command_api.examples import IMPORT
from command_api.imports.routes import ROWS_AS_ONE
from command_api.imports.running import counts
from command_api.members.directory import Directory
from command_api.members.planning import MemberRow, read_row
from command_api.members.running import MemberBatch, Read
from command_api.offered import Collection
from command_api.routes import OrganizationId, sender_of, waiting
from command_api.service import CommandService, is_pending
from events.roles import Role
from runtime.authentication import check_known
from runtime.postgres import FAILED
from runtime.problems import Problem
from runtime.rate_limits.limiting import charge
from runtime.settings import Settings
from runtime.uploads.kinds import Kind
from runtime.uploads.limits import Limits
from runtime.uploads.receiving import Received, receive
from runtime.uploads.rows import read_rows

TAKEN = frozenset({Kind.JSON, Kind.NDJSON, Kind.CSV})
KEY = "rows"
"""The member under which a JSON object has its rows."""
_MOST_BYTES = 4 * 1024 * 1024
_MOST_ROW_BYTES = 2 * 1024
"""Names and ids are short: what is longer only takes its time to be read."""

router = APIRouter(
    prefix="/api/v1/organizations/{organization_id}/members",
    tags=["members"],
    dependencies=[Depends(check_known)],
)


class BatchQuery(BaseModel):
    """Which list it is."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    batch_id: Annotated[
        CommandId,
        Field(
            description="A version 7 UUID, made by the client: the same list under it is applied once",
            examples=[IMPORT],
        ),
    ]


@router.post(
    "/batch",
    summary="Add, change and remove many members",
    openapi_extra=members_body(),
    responses=members_responses(),
)
async def change_members(
    organization_id: OrganizationId, query: Annotated[BatchQuery, Query()], request: Request
) -> Response:
    """Each row becomes commands of the caller's, and has its own result; a bad row hinders no other.

    The list is the body, or the one file of a form: JSON, NDJSON, or CSV under a line of names. Who is named
    by username or e-mail address is looked up, for admins of the organization alone.
    """
    settings: Settings = request.app.state.settings
    sender = sender_of(organization_id, request, Collection.ORGANIZATIONS)
    received = await receive(request)
    read = await asyncio.to_thread(_read, received, settings)
    ids = await _looked_up(request, sender, read)
    await charge(request, len(read) // ROWS_AS_ONE)
    batch = MemberBatch(request.app.state.command_api, sender, settings.max_batch)
    results = await batch.run(read, ids, query.batch_id, waiting(request))
    body = {"batch_id": query.batch_id, "counts": counts(results), "rows": results}
    return json_response(body, 202 if is_pending(results) else 200)


def _read(received: Received, settings: Settings) -> Read:
    limits = Limits.of(settings)
    limits = replace(
        limits,
        most_bytes=min(limits.most_bytes, _MOST_BYTES),
        most_row_bytes=min(limits.most_row_bytes, _MOST_ROW_BYTES),
        most_depth=1,
    )
    return {row.index: read_row(row) for row in read_rows(received, TAKEN, KEY, limits).rows}


async def _looked_up(request: Request, sender: Sender, read: Read) -> Mapping[str, str]:
    names = {row.name for row in read.values() if isinstance(row, MemberRow) and row.name is not None}
    if not names:
        return {}
    service: CommandService = request.app.state.command_api
    directory: Directory = request.app.state.directory
    try:
        if sender.at_most not in (None, Role.ADMIN) or not await service.may_read(sender):
            raise Problem("forbidden", 403, "only admins of the organization may look users up by name")
        return await directory.user_ids(sorted(names))
    except FAILED as error:
        detail = "users cannot be looked up at the moment"
        raise Problem("database_unavailable", 503, detail, headers={"Retry-After": "1"}) from error
