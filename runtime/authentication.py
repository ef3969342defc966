"""Who sends a request. So far only development tokens, which work in `development` alone."""

import re
from typing import Protocol

from runtime.problems import Problem
from runtime.settings import Environment, Settings
from runtime.startup_failures import Misconfigured

_DEVELOPMENT_TOKEN = re.compile(r"(?i:bearer) +dev-([A-Za-z0-9._@-]{1,64})")


class Authenticator(Protocol):
    """Finds the actor in a request's `Authorization` header."""

    def actor_of(self, authorization: str | None) -> str:
        """The actor's id; raise `Problem` 401 `unauthenticated` when there is none."""


class DevelopmentTokens:
    """`Bearer dev-<actor>` is taken at its word."""

    def actor_of(self, authorization: str | None) -> str:
        """The actor whom the token names."""
        match = _DEVELOPMENT_TOKEN.fullmatch(authorization or "")
        if match is None:
            raise Problem(
                "unauthenticated",
                401,
                "send `Authorization: Bearer dev-<actor>`; an actor is 1 to 64 of A-Z a-z 0-9 . _ @ -",
                headers={"WWW-Authenticate": "Bearer"},
            )
        return match[1]


def create_authenticator(settings: Settings) -> Authenticator:
    """The authenticator for the environment; raise `Misconfigured` where there is none."""
    if settings.environment is not Environment.DEVELOPMENT:
        raise Misconfigured(
            f"no authentication is configured for environment {settings.environment.value!r}: "
            "development tokens work with PATTERNLOG_ENVIRONMENT=development only"
        )
    return DevelopmentTokens()
