"""The OpenAPI document of a process, made without starting it."""

import json

from runtime.settings import Environment, Settings
from server.apps import app_of
from server.process import Process


def openapi_of(process: Process) -> str:
    """The document as JSON text."""
    # The routes are the same under all settings, so the ones around us are not even read.
    settings = Settings.model_construct(environment=Environment.DEVELOPMENT)
    return json.dumps(app_of(process, settings).openapi(), indent=2, ensure_ascii=False)
