"""Who may read what: each router is included with the right that it needs, and routes.py shows them all.

To strangers what is there is not: whatever they send, they are answered as for a team that was never created.
"""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Annotated

from fastapi import Path, Request
from pydantic import ValidationError

from events.cursor import Cursor
from events.identifiers import is_uuid
from events.roles import Right, Role, allows
from read_api.parameters import Id, Reading, TeamId
from read_api.people_examples import ORGANIZATION
from read_api.positions import check_log, read_cursor
from read_api.problems import (
    forbidden,
    invalid_parameter,
    not_yet_visible,
    unknown_organization,
    unknown_team,
)
from read_api.roles import Kind, Membership
from runtime.authentication import Principal, check_still_known, principal_of
from runtime.problems import Problem

MOST_WAIT_S = 5.0
"""Seconds that a request can wait for its sender to become a member."""

OrganizationId = Annotated[
    Id, Path(description="The organization's UUID, in canonical form", examples=[ORGANIZATION])
]
Check = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Needs(ABC):
    """A dependency of routes: lets those pass whose role, and whose credential, has the right."""

    right: Right

    async def check(self, request: Request, kind: Kind, log: str) -> None:
        """Raise `Problem` 403 `forbidden`, or 404 to those who do not belong there."""
        principal, service = principal_of(request), request.app.state.read_api
        if principal.team_id not in (None, log):
            raise forbidden("the key is good for one team, and this is not it")
        membership = Membership(kind, log, principal.actor)
        role: Role | None = await service.roles.of(membership)
        if role is None:
            role = await self._arrived(request, membership)
        elif not allows(role, self.right) and (seen := _at_least(request, log)) is not None:
            # They may have become something else just now.
            await service.visibility.wait(seen, _timeout(request))
            role = await service.roles.now(membership)
        self._judge(role, principal, log)
        request.state.still_allowed = partial(self._check_again, request, membership, principal)

    @abstractmethod
    def unknown(self, log: str) -> Problem:
        """What those are told who do not belong there."""

    async def _arrived(self, request: Request, membership: Membership) -> Role:
        """The role of somebody who has joined a moment ago, as their cursor may prove in a while."""
        service, log = request.app.state.read_api, membership.id
        seen, cursor = [read_cursor(request.query_params.get(name), log) for name in ("at_least", "cursor")]
        for one in filter(None, (seen, cursor)):
            check_log(one, service.log_id)
        if seen is None:
            raise self.unknown(log)
        timeout_s = min(_timeout(request), MOST_WAIT_S)
        role: Role | None = None
        if await service.roles.belonged(membership):
            # They know that there is a log: once it is visible so far, it tells whether they were taken back.
            await service.visibility.wait(seen, timeout_s)
            role = await service.roles.now(membership)
            if role is None:
                raise self.unknown(log)
            return role
        role = await service.roles.wait(membership, timeout_s)
        if role is None:
            raise not_yet_visible()
        return role

    async def _check_again(self, request: Request, membership: Membership, principal: Principal) -> None:
        await check_still_known(request)
        role = await request.app.state.read_api.roles.of(membership)
        self._judge(role, principal, membership.id)

    def _judge(self, role: Role | None, principal: Principal, log: str) -> None:
        if role is None:
            raise self.unknown(log)
        if not allows(role, self.right):
            raise forbidden(f"your role has no right to {self.right}")
        if not allows(role, self.right, principal.at_most):
            raise forbidden(f"the credential is good for what a {principal.at_most} may do, at most")


@dataclass(frozen=True, slots=True)
class InTeam(Needs):
    """In a team."""

    async def __call__(self, request: Request, team_id: TeamId) -> None:
        await self.check(request, Kind.TEAM, team_id)

    def unknown(self, log: str) -> Problem:
        """404 `unknown_team`."""
        return unknown_team(log)


@dataclass(frozen=True, slots=True)
class _Organization(Needs):
    def unknown(self, log: str) -> Problem:
        """404 `unknown_organization`."""
        return unknown_organization(log)


@dataclass(frozen=True, slots=True)
class InOrganization(_Organization):
    """In an organization: its members may read, its admins may do all."""

    async def __call__(self, request: Request, organization_id: OrganizationId) -> None:
        await self.check(request, Kind.ORGANIZATION, organization_id)


@dataclass(frozen=True, slots=True)
class InOrganizationLog(_Organization):
    """The same, where the path names the organization as routes of any log do."""

    async def __call__(self, request: Request) -> None:
        organization_id = request.path_params["team_id"]
        if not is_uuid(organization_id):
            # Before the parameter of that name is looked at: to who asks it has another one.
            raise invalid_parameter("organization_id", "must be a UUID in canonical lower-case form")
        await self.check(request, Kind.ORGANIZATION, organization_id)


async def check_still_allowed(request: Request) -> None:
    """Raise `Problem` once the sender has lost the right that the route needs, or the credential for it."""
    check: Check = request.state.still_allowed
    await check()


def _at_least(request: Request, log: str) -> Cursor | None:
    return read_cursor(request.query_params.get("at_least"), log)


def _timeout(request: Request) -> float:
    try:
        given = {"timeout": request.query_params["timeout"]} if "timeout" in request.query_params else {}
        return Reading.model_validate(given).timeout
    except ValidationError as error:
        raise invalid_parameter("timeout", error.errors()[0]["msg"]) from None
