"""The app of each process: the parts that it consists of, and the routes in front of them.

A process imports its own parts alone: to load the others' libraries takes longer than the rest of a start.
"""

# ruff: noqa: PLC0415

from typing import assert_never

from fastapi import FastAPI

from runtime.settings import Settings
from runtime.web import build_app
from server.database_check import migrated, migrated_or_away
from server.process import Process


def app_of(process: Process, settings: Settings) -> FastAPI:
    """The app of a process; nothing is connected before it starts."""
    match process:
        case Process.COMMAND_API:
            return _command_api(settings)
        case Process.DECIDER:
            return _decider(settings)
        case Process.PROJECTOR:
            return _projector(settings)
        case Process.READ_API:
            return _read_api(settings)
        case Process.GATEWAY:
            return _gateway(settings)
        case Process.ALL:
            raise ValueError("`all` is several processes")
        case _:
            assert_never(process)


def _command_api(settings: Settings) -> FastAPI:
    from command_api.part import command_api_part
    from command_api.routes import router
    from identity.part import authentication_part, identity_part, token_keys_part
    from identity.routes import router as identity

    parts = [token_keys_part, migrated_or_away, authentication_part, identity_part, command_api_part]
    return build_app("Patternlog command-api", settings, [router, identity], parts)


def _decider(settings: Settings) -> FastAPI:
    from command_api.decider.part import decider_part

    return build_app("Patternlog decider", settings, [], [migrated, decider_part])


def _projector(settings: Settings) -> FastAPI:
    from projectors.part import projector_part

    return build_app("Patternlog projector", settings, [], [migrated, projector_part])


def _read_api(settings: Settings) -> FastAPI:
    from identity.part import authentication_part, token_keys_part
    from read_api.part import read_api_part
    from read_api.routes import router

    parts = [token_keys_part, migrated, authentication_part, read_api_part]
    return build_app("Patternlog read-api", settings, [router], parts)


def _gateway(settings: Settings) -> FastAPI:
    from command_api.part import command_api_part
    from command_api.routes import router as commands
    from identity.part import authentication_part, identity_part, token_keys_part
    from identity.routes import router as identity
    from read_api.part import read_api_part
    from read_api.routes import router as reads

    parts = [
        token_keys_part,
        migrated_or_away,
        authentication_part,
        identity_part,
        command_api_part,
        read_api_part,
    ]
    return build_app("Patternlog", settings, [commands, reads, identity], parts)
