"""A command API that lets in everybody and limits nobody: what the one that does is measured against.

`python -m benchmarks.open_server serve command-api` runs it, with the settings of the real one.
"""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from command_api.part import command_api_part
from command_api.routes import router
from runtime.authentication import Principal
from runtime.health import Health
from runtime.loading import load_settings
from runtime.service import run
from runtime.settings import Settings
from runtime.web import build_app

_ANYBODY = Principal(actor="bench")


class _Open:
    async def principal_of(self, _authorization: str) -> Principal:
        return _ANYBODY


@asynccontextmanager
async def _open_part(app: FastAPI, _settings: Settings, _health: Health) -> AsyncIterator[None]:
    app.state.authenticator = _Open()
    yield


def _app(settings: Settings) -> FastAPI:
    without = settings.model_copy(update={"rate_limits": False})
    return build_app("Open command-api", without, [router], [_open_part, command_api_part])


if __name__ == "__main__":
    sys.exit(run(_app, load_settings(), "command-api"))
