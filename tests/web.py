"""Apps that run inside the test."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from fastapi import FastAPI
from pydantic import SecretStr

from runtime.settings import Environment, Settings
from tests.tokens import SEED


def development(**changes: object) -> Settings:
    """Default settings in the development environment, whatever the test's own environment says.

    Rate limits are off where they may be: they would count in whatever Redis there is.
    """
    changes = {"environment": Environment.DEVELOPMENT, **changes}
    limited = changes["environment"] is not Environment.DEVELOPMENT
    of_tests = {"rate_limits": limited, "token_keys": SecretStr(SEED)}
    return Settings.model_construct().model_copy(update={**of_tests, **changes})


@asynccontextmanager
async def client_of(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an app whose parts run; what the app raises is answered, as a server would."""
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://test") as client,
    ):
        yield client
