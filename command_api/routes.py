"""The routes of the command API: parse, hand over, answer."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from command_api.answers import json_response, pending_response, problem_of
from command_api.command_log import Sender
from command_api.described import look_up_responses, submit_body, submit_responses
from command_api.examples import COMMAND, TEAM
from command_api.prefer import wait_seconds
from command_api.service import CommandService, is_pending
from command_api.submission import read_submission
from events.identifiers import is_uuid, is_uuid7
from runtime.authentication import principal_of
from runtime.problems import Problem
from runtime.settings import Settings

TeamId = Annotated[
    str,
    Path(
        description="The team's UUID, in canonical form",
        examples=[TEAM],
        json_schema_extra={"format": "uuid"},
    ),
]
CommandId = Annotated[
    str,
    Path(description="The command's UUIDv7", examples=[COMMAND], json_schema_extra={"format": "uuid"}),
]

router = APIRouter(prefix="/api/v1/teams/{team_id}/commands", tags=["commands"])


@router.post(
    "",
    summary="Submit one command, or up to 500",
    operation_id="submit_commands",
    openapi_extra=submit_body(),
    responses=submit_responses(),
)
async def submit(team_id: TeamId, request: Request) -> Response:
    """Commands are accepted in order, and each gets its own outcome; a `batch` is one, all of it or nothing.

    A command is identified by its `command_id` (UUIDv7): sent again with the same body it gets the same
    outcome and is applied once. `Prefer: wait=N` waits up to N seconds, `Prefer: respond-async` not at all.
    """
    settings: Settings = request.app.state.settings
    service: CommandService = request.app.state.command_api
    sender = sender_of(team_id, request)
    submission = read_submission(await request.body(), settings)
    wait_s = wait_seconds(
        ", ".join(request.headers.getlist("prefer")),
        default=settings.default_wait_s,
        most=settings.max_wait_s,
    )
    bodies = await service.submit(sender, submission, wait_s)
    pending = is_pending(bodies)
    if submission.is_many:
        return json_response({"outcomes": bodies}, 202 if pending else 200)
    return pending_response(bodies[0]) if pending else _single(bodies[0])


@router.get(
    "/{command_id}",
    summary="What became of a command",
    operation_id="look_up_command",
    responses=look_up_responses(),
)
async def look_up(team_id: TeamId, command_id: CommandId, request: Request) -> Response:
    """The first outcome of a command, for 37 days.

    404 `unknown_command` is no proof that it was not received: send it again under the same id.
    """
    service: CommandService = request.app.state.command_api
    sender_of(team_id, request)
    if not is_uuid7(command_id):
        raise Problem(
            "invalid_parameter", 400, "command_id: must be a version 7 UUID", parameter="command_id"
        )
    body = await service.look_up(team_id, command_id)
    return pending_response(body) if is_pending([body]) else json_response(body)


def sender_of(team_id: str, request: Request) -> Sender:
    """Whose request it is, and for which team; raise `Problem`."""
    principal = principal_of(request)
    if not is_uuid(team_id):
        raise Problem("invalid_parameter", 400, "team_id: must be a canonical UUID", parameter="team_id")
    return Sender(
        team_id=team_id,
        actor=principal.actor,
        request_id=request.state.request_id,
        address=printable(request.client.host if request.client else "", 64),
        user_agent=printable(request.headers.get("user-agent", ""), 256),
    )


def printable(text: str, most: int) -> str:
    """The printable characters among the first so many."""
    return "".join(filter(str.isprintable, text[:most]))


def _single(body: dict[str, Any]) -> Response:
    if body["status"] in ("accepted", "merged"):
        return json_response(body)
    raise problem_of(body)
