"""The routes of the command API: parse, hand over, answer."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from command_api.answers import json_response, pending_response, problem_of
from command_api.command_log import Sender
from command_api.described import look_up_responses, submit_body, submit_responses
from command_api.examples import COMMAND, ORGANIZATION, TEAM
from command_api.offered import Collection
from command_api.prefer import wait_seconds
from command_api.service import CommandService, is_pending
from command_api.submission import read_submission
from events.identifiers import is_uuid, is_uuid7
from runtime.authentication import Principal, principal_of
from runtime.origin import address_of, printable
from runtime.problems import Problem
from runtime.rate_limits.limiting import charge, charge_bytes
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

OrganizationId = Annotated[
    str,
    Path(
        description="The organization's UUID, in canonical form",
        examples=[ORGANIZATION],
        json_schema_extra={"format": "uuid"},
    ),
]

router = APIRouter(prefix="/api/v1", tags=["commands"])
_TEAM = "/teams/{team_id}/commands"
_ORGANIZATION = "/organizations/{organization_id}/commands"


@router.post(
    _TEAM,
    summary="Submit one command, or up to 500",
    operation_id="submit_commands",
    openapi_extra=submit_body(Collection.TEAMS),
    responses=submit_responses(),
)
async def submit(team_id: TeamId, request: Request) -> Response:
    """Commands are accepted in order, and each gets its own outcome; a `batch` is one, all of it or nothing.

    A command is identified by its `command_id` (UUIDv7): sent again with the same body it gets the same
    outcome and is applied once. `Prefer: wait=N` waits up to N seconds, `Prefer: respond-async` not at all.
    """
    return await _submit(sender_of(team_id, request), request)


@router.post(
    _ORGANIZATION,
    summary="Submit one command to an organization, or up to 500",
    operation_id="submit_organization_commands",
    openapi_extra=submit_body(Collection.ORGANIZATIONS),
    responses=submit_responses(),
)
async def submit_to_organization(organization_id: OrganizationId, request: Request) -> Response:
    """As with those to a team: one outcome each, in order, and once under a `command_id`."""
    return await _submit(sender_of(organization_id, request, Collection.ORGANIZATIONS), request)


async def _submit(sender: Sender, request: Request) -> Response:
    settings: Settings = request.app.state.settings
    service: CommandService = request.app.state.command_api
    body = await request.body()
    drawn = await charge_bytes(request, len(body))
    submission = read_submission(body, settings, sender.collection)
    await charge(request, submission.count - 1 - drawn)
    bodies = await service.submit(sender, submission, waiting(request))
    pending = is_pending(bodies)
    if submission.is_many:
        return json_response({"outcomes": bodies}, 202 if pending else 200)
    return pending_response(bodies[0]) if pending else _single(bodies[0])


@router.get(
    _TEAM + "/{command_id}",
    summary="What became of a command",
    operation_id="look_up_command",
    responses=look_up_responses(),
)
async def look_up(team_id: TeamId, command_id: CommandId, request: Request) -> Response:
    """The first outcome of a command, for 37 days: for its sender, and for those who may read the team.

    404 `unknown_command` is no proof that it was not received: send it again under the same id.
    """
    return await _look_up(sender_of(team_id, request), command_id, request)


@router.get(
    _ORGANIZATION + "/{command_id}",
    summary="What became of a command to an organization",
    operation_id="look_up_organization_command",
    responses=look_up_responses(),
)
async def look_up_of_organization(
    organization_id: OrganizationId, command_id: CommandId, request: Request
) -> Response:
    """The first outcome of a command, for 37 days: for its sender, and for the organization's admins."""
    asker = sender_of(organization_id, request, Collection.ORGANIZATIONS)
    return await _look_up(asker, command_id, request)


async def _look_up(asker: Sender, command_id: str, request: Request) -> Response:
    service: CommandService = request.app.state.command_api
    if not is_uuid7(command_id):
        raise Problem(
            "invalid_parameter", 400, "command_id: must be a version 7 UUID", parameter="command_id"
        )
    body = await service.look_up(asker, command_id)
    return pending_response(body) if is_pending([body]) else json_response(body)


def waiting(request: Request) -> float:
    """Seconds that a request waits for outcomes."""
    settings: Settings = request.app.state.settings
    prefer = ", ".join(request.headers.getlist("prefer"))
    return wait_seconds(prefer, default=settings.default_wait_s, most=settings.max_wait_s)


def sender_of(key: str, request: Request, collection: Collection = Collection.TEAMS) -> Sender:
    """Whose request it is, and for which team or organization; raise `Problem`."""
    principal = principal_of(request)
    if not is_uuid(key):
        name = f"{collection.removesuffix('s')}_id"
        raise Problem("invalid_parameter", 400, f"{name}: must be a canonical UUID", parameter=name)
    if principal.team_id is not None and (collection, key) != (Collection.TEAMS, principal.team_id):
        raise Problem("forbidden", 403, "the key is good for another team alone")
    return Sender(
        team_id=key,
        collection=collection,
        actor=principal.actor,
        at_most=principal.at_most,
        credential=credential_of(principal),
        request_id=request.state.request_id,
        address=address_of(request),
        user_agent=printable(request.headers.get("user-agent", ""), 256),
    )


def credential_of(principal: Principal) -> str:
    """By which key or session somebody asks; empty where neither is known."""
    if principal.key_id is not None:
        return f"key:{principal.key_id}"
    return "" if principal.session_id is None else f"session:{principal.session_id}"


def _single(body: dict[str, Any]) -> Response:
    if body["status"] in ("accepted", "merged"):
        return json_response(body)
    raise problem_of(body)
