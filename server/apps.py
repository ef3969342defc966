"""The app of each process: the parts that it consists of, and the routes in front of them."""

from typing import assert_never

from fastapi import FastAPI

from command_api.decider.part import decider_part
from command_api.part import command_api_part
from command_api.routes import router as command_router
from projectors.part import projector_part
from read_api.part import read_api_part
from read_api.routes import router as read_router
from runtime.settings import Settings
from runtime.web import build_app
from server.database_check import migrated, migrated_or_away
from server.process import Process


def app_of(process: Process, settings: Settings) -> FastAPI:
    """The app of a process; nothing is connected before it starts."""
    title = f"Patternlog {process.value}"
    match process:
        case Process.COMMAND_API:
            return build_app(title, settings, [command_router], [migrated_or_away, command_api_part])
        case Process.DECIDER:
            return build_app(title, settings, [], [migrated, decider_part])
        case Process.PROJECTOR:
            return build_app(title, settings, [], [migrated, projector_part])
        case Process.READ_API:
            return build_app(title, settings, [read_router], [migrated, read_api_part])
        case Process.GATEWAY:
            parts = [migrated_or_away, command_api_part, read_api_part]
            return build_app("Patternlog", settings, [command_router, read_router], parts)
        case Process.ALL:
            raise ValueError("`all` is several processes")
        case _:
            assert_never(process)
