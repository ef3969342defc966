"""Apps that run inside the test."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from fastapi import FastAPI
from pydantic import SecretStr

from runtime.settings import Environment, Settings
from tests.tokens import SEED


def development(**changes: object) -> Settings:
    """Default settings in the development environment, whatever the test's own environment says."""
    return Settings.model_construct(
        environment=Environment.DEVELOPMENT, token_keys=SecretStr(SEED)
    ).model_copy(update=changes)


@asynccontextmanager
async def client_of(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an app whose parts run; what the app raises is answered, as a server would."""
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://test") as client,
    ):
        yield client
