"""Invitations, made and taken up: the secret is made here, told once, and goes no further.

The log holds the hash of a proof, and the proof is itself a hash: neither opens anything.
"""

import re
import secrets
import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from command_api.answers import json_response, pending_response, problem_of
from command_api.command_log import Sender
from command_api.decisions.command_shapes import CommandId
from command_api.decisions.commands import Command, to_json
from command_api.decisions.organization_commands import AcceptOrganizationInvitation, InviteOrganizationMember
from command_api.decisions.people import LONGEST_INVITATION
from command_api.decisions.team_commands import AcceptInvitation, InviteMember
from command_api.described import (
    accepted_responses,
    body_of_acceptance,
    body_of_invitation,
    invited_responses,
)
from command_api.offered import Collection
from command_api.routes import OrganizationId, TeamId, sender_of, waiting
from command_api.service import CommandService, is_pending
from command_api.submission import Submission
from events.identifiers import UUID_PATTERN, uuid7
from events.json_text import Json, dump
from events.membership import proof_hash_of, proof_of
from events.roles import OrganizationRole, Role
from events.shapes import utc_text
from runtime.authentication import principal_of
from runtime.json_body import read_json
from runtime.problems import Problem

_SECRET_BYTES = 32
_MARGIN = timedelta(minutes=5)
"""By which the broker's clock may be behind ours."""
_PREFIXES = {Collection.TEAMS: "inv_", Collection.ORGANIZATIONS: "ino_"}
_TOKEN = re.compile(rf"(inv_|ino_)({UUID_PATTERN})\.({UUID_PATTERN})\.([A-Za-z0-9_-]{{43}})")

router = APIRouter(prefix="/api/v1", tags=["members"])


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Lasting(_Body):
    expires_in_days: Annotated[int, Field(ge=1, le=LONGEST_INVITATION.days)] = 7


class TeamInvitation(_Lasting):
    """Whom a team invites, and for how long."""

    role: Role


class OrganizationInvitation(_Lasting):
    """Whom an organization invites, and for how long."""

    role: OrganizationRole


class Acceptance(_Body):
    """The token of an invitation, and the id of the command that takes it up."""

    token: Annotated[str, Field(max_length=200, repr=False)]
    command_id: CommandId | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Token:
    """What whoever holds it can join, and with what proof."""

    collection: Collection
    key: str
    invitation_id: str
    proof: str


def read_token(text: str) -> Token:
    """What a token says; raise `Problem` 400 `invalid_invitation`, which does not quote it."""
    match = _TOKEN.fullmatch(text)
    if match is None:
        raise Problem("invalid_invitation", 400, "the token is none of an invitation", pointer="/token")
    prefix, key, invitation_id, secret = match.groups()
    collection = Collection.TEAMS if prefix == _PREFIXES[Collection.TEAMS] else Collection.ORGANIZATIONS
    return Token(collection=collection, key=key, invitation_id=invitation_id, proof=proof_of(secret))


@router.post(
    "/teams/{team_id}/invitations",
    summary="Invite somebody to a team",
    status_code=201,
    openapi_extra=body_of_invitation(Collection.TEAMS),
    responses=invited_responses(),
)
async def invite_to_team(team_id: TeamId, request: Request) -> Response:
    """Whoever is given the token can join in the role, once. It is told here and nowhere else."""
    sender = sender_of(team_id, request)
    asked = await read_json(request, TeamInvitation)
    invitation = _Invitation(sender.collection, team_id, asked.expires_in_days)
    command = InviteMember(
        command_id=invitation.command_id,
        invitation_id=invitation.invitation_id,
        role=asked.role,
        proof_hash=invitation.proof_hash,
        expires_at=invitation.expires_at,
    )
    return await _invited(request, sender, command, invitation)


@router.post(
    "/organizations/{organization_id}/invitations",
    summary="Invite somebody to an organization",
    status_code=201,
    openapi_extra=body_of_invitation(Collection.ORGANIZATIONS),
    responses=invited_responses(),
)
async def invite_to_organization(organization_id: OrganizationId, request: Request) -> Response:
    """Whoever is given the token can join in the role, once. It is told here and nowhere else."""
    sender = sender_of(organization_id, request, Collection.ORGANIZATIONS)
    asked = await read_json(request, OrganizationInvitation)
    invitation = _Invitation(sender.collection, organization_id, asked.expires_in_days)
    command = InviteOrganizationMember(
        command_id=invitation.command_id,
        invitation_id=invitation.invitation_id,
        role=asked.role,
        proof_hash=invitation.proof_hash,
        expires_at=invitation.expires_at,
    )
    return await _invited(request, sender, command, invitation)


@router.post(
    "/invitations/accept",
    summary="Take up an invitation",
    openapi_extra=body_of_acceptance(),
    responses=accepted_responses(),
)
async def accept_invitation(request: Request) -> Response:
    """Join what the token invites to. The answer is the outcome of the command that is sent for it."""
    principal_of(request)
    asked = await read_json(request, Acceptance)
    token = read_token(asked.token)
    sender = sender_of(token.key, request, token.collection)
    kind = AcceptInvitation if token.collection is Collection.TEAMS else AcceptOrganizationInvitation
    command = kind(
        command_id=asked.command_id or _new_id(), invitation_id=token.invitation_id, proof=token.proof
    )
    outcome = await _sent(request, sender, command)
    return pending_response(outcome) if is_pending([outcome]) else json_response(outcome)


class _Invitation:
    """A new invitation, and the secret that opens it."""

    def __init__(self, collection: Collection, key: str, days: int) -> None:
        secret = secrets.token_urlsafe(_SECRET_BYTES)
        lasts = min(timedelta(days=days), LONGEST_INVITATION - _MARGIN)
        self.command_id = _new_id()
        self.invitation_id = str(uuid.uuid4())
        self.token = f"{_PREFIXES[collection]}{key}.{self.invitation_id}.{secret}"
        self.proof_hash = proof_hash_of(proof_of(secret))
        self.expires_at = utc_text(datetime.now(UTC) + lasts)


async def _invited(request: Request, sender: Sender, command: Command, invitation: _Invitation) -> Response:
    outcome = await _sent(request, sender, command)
    pending = is_pending([outcome])
    body = {
        "invitation_id": invitation.invitation_id,
        "token": invitation.token,
        "expires_at": invitation.expires_at,
        "outcome": outcome,
    }
    return json_response(body, 202 if pending else 201, {"Cache-Control": "no-store"})


async def _sent(request: Request, sender: Sender, command: Command) -> dict[str, Json]:
    """The outcome of one command of the caller's, or that it is pending; raise `Problem` for a refusal."""
    service: CommandService = request.app.state.command_api
    submission = Submission([command.command_id], [dump(to_json(command))], is_many=False, count=1)
    (outcome,) = await service.submit(sender, submission, waiting(request))
    if outcome["status"] == "rejected":
        raise problem_of(outcome)
    return outcome


def _new_id() -> str:
    return uuid7(time.time_ns() // 1_000_000, secrets.token_bytes(10))
