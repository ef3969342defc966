"""Who sends a request: what a process must know of them, and how routes learn it."""

from dataclasses import dataclass
from time import monotonic
from typing import Protocol

from fastapi import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from events.roles import Role, Tier
from runtime.problems import Problem

_STATE = "authentication"
FRESH_S = 0.25
"""Seconds that a body may take until whoever sent it is asked about anew: they may be revoked meanwhile."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Principal:
    """Whoever a credential stands for, and what it is good for.

    `actor` is the id under which events name them. `team_id` and `at_most` narrow an API key to one team and
    to the rights of a role; whether they have those is for the team's log to say.
    """

    actor: str
    organization_id: str | None = None
    tier: Tier = Tier.FREE
    session_id: str | None = None
    key_id: str | None = None
    team_id: str | None = None
    at_most: Role | None = None


class Authenticator(Protocol):
    """Finds out whom a request's `Authorization` header stands for."""

    async def principal_of(self, authorization: str) -> Principal:
        """Whom it stands for; raise `Problem` 401, or 503 `auth_unavailable` where it cannot tell."""


_BODILESS = frozenset({"GET", "HEAD", "OPTIONS"})
CHALLENGE = {"WWW-Authenticate": "Bearer"}
"""What each 401 has to say (RFC 9110, section 11.6.1)."""


def unauthenticated(detail: str) -> Problem:
    """The answer to a request without a credential that is good."""
    return Problem("unauthenticated", 401, detail, headers=CHALLENGE)


class Authentication:
    """ASGI middleware: learns who asks before anything else is done for them.

    A process whose `app.state` has no `authenticator` has no routes that ask. A route that is for everybody
    is not hindered by a credential that is no good.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            found = scope.setdefault("state", {})[_STATE] = await _authenticate(scope)
            if isinstance(found, Principal) and scope["method"] not in _BODILESS:
                receive = self._judged_anew(scope, receive)
        await self._app(scope, receive, send)

    def _judged_anew(self, scope: Scope, receive: Receive) -> Receive:
        asked_at = monotonic()

        async def receive_and_judge() -> Message:
            message = await receive()
            is_last = message["type"] == "http.request" and not message.get("more_body", False)
            if is_last and monotonic() - asked_at > FRESH_S:
                found = scope["state"][_STATE] = await _authenticate(scope)
                if isinstance(found, Problem):
                    raise found
            return message

        return receive_and_judge


async def _authenticate(scope: Scope) -> Principal | Problem:
    given = [value for name, value in scope["headers"] if name == b"authorization"]
    authenticator: Authenticator | None = getattr(scope["app"].state, "authenticator", None)
    if not given or authenticator is None:
        return unauthenticated("send `Authorization: Bearer <token>`, with an access token or an API key")
    if len(given) > 1:
        return unauthenticated("the header Authorization stands twice")
    try:
        return await authenticator.principal_of(given[0].decode("latin-1"))
    except Problem as problem:
        return problem


def known_principal(scope: Scope) -> Principal | None:
    """Who sends a request, where that is known."""
    found = scope.get("state", {}).get(_STATE)
    return found if isinstance(found, Principal) else None


def principal_of(request: Request) -> Principal:
    """Who sends a request; raise `Problem` 401, or 503 `auth_unavailable`."""
    found: Principal | Problem = request.scope["state"][_STATE]
    if isinstance(found, Problem):
        raise found
    return found


async def check_still_known(request: Request) -> None:
    """Raise `Problem` once the credential of a request that takes its time was revoked; it may expire."""
    found = await _authenticate(request.scope)
    if isinstance(found, Problem) and found.code != "token_expired":
        raise found


async def check_known(request: Request) -> None:
    """Ask who sends a request before anything in it is looked at; raise as `principal_of` does."""
    principal_of(request)
