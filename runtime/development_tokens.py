"""Tokens that name their actor, for `development` alone."""

import re

from runtime.authentication import Principal, unauthenticated
from runtime.settings import Environment, Settings
from runtime.startup_failures import Misconfigured

_DEVELOPMENT_TOKEN = re.compile(r"(?i:bearer) +dev-([A-Za-z0-9._@-]{1,64})")


class DevelopmentTokens:
    """`Bearer dev-<actor>` is taken at its word."""

    async def principal_of(self, authorization: str) -> Principal:
        """The actor whom the token names."""
        match = _DEVELOPMENT_TOKEN.fullmatch(authorization)
        if match is None:
            raise unauthenticated("send `Authorization: Bearer dev-<actor>`")
        return Principal(actor=match[1])


def create_authenticator(settings: Settings) -> DevelopmentTokens:
    """The authenticator for the environment; raise `Misconfigured` where there is none."""
    if settings.environment is not Environment.DEVELOPMENT:
        raise Misconfigured(
            f"no authentication is configured for environment {settings.environment.value!r}: "
            "development tokens work with PATTERNLOG_ENVIRONMENT=development only"
        )
    return DevelopmentTokens()
