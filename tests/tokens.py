"""Access tokens of tests: signed by a key that is the tests' alone."""

import base64
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from typing import Any

from fastapi import FastAPI
from pydantic import SecretStr

from identity.access_tokens import Claims, TokenFormat
from identity.token_keys import key_ring
from runtime.authentication import Principal, unauthenticated
from runtime.health import Health
from runtime.settings import Settings

SEED = base64.b64encode(b"the seed of the tests' tokens...").decode()
"""For `PATTERNLOG_TOKEN_KEYS`."""
_LIFE_S = 3600


def claims_of(actor: str, **changes: Any) -> Claims:
    """What a new token of an actor says, with a session of its own."""
    now = int(time.time())
    said = {"sub": actor, "sid": str(uuid.uuid4()), "jti": uuid.uuid4().hex, "iat": now, "exp": now + _LIFE_S}
    return Claims(**{**said, **changes})


@cache
def form() -> TokenFormat:
    """How the tests' tokens are signed and read."""
    ring = key_ring(Settings(_env_file=None, token_keys=SecretStr(SEED)))
    return TokenFormat(ring=ring, issuer="patternlog", audience="patternlog", leeway_s=5)


def token_of(actor: str, **changes: Any) -> str:
    """A new token; `changes` are to its claims."""
    return form().sign(claims_of(actor, **changes))


def bearer(actor: str, **changes: Any) -> str:
    """A header `Authorization` that stands for an actor for an hour."""
    return f"Bearer {token_of(actor, **changes)}"


class SignedTokens:
    """Takes the tests' tokens without Postgres and Redis: nothing is revoked."""

    async def principal_of(self, authorization: str) -> Principal:
        """Whom a token stands for."""
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer":
            raise unauthenticated("a bearer token, please")
        claims = form().read(token)
        return Principal(
            actor=claims.sub, organization_id=claims.org, tier=claims.tier, session_id=claims.sid
        )


@asynccontextmanager
async def signed_tokens_part(app: FastAPI, _settings: Settings, _health: Health) -> AsyncIterator[None]:
    """The part that knows who asks, for an app that is tested on its own."""
    app.state.authenticator = SignedTokens()
    yield
