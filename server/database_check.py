"""The first part of every process: the database is at the revision that the code was made for."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from fastapi import FastAPI

from migrations.check import check_migrated
from runtime.health import Health
from runtime.settings import Settings
from runtime.startup import failure_of
from runtime.startup_failures import Unreachable

_log = structlog.get_logger(__name__)


@asynccontextmanager
async def migrated(_app: FastAPI, settings: Settings, _health: Health) -> AsyncIterator[None]:
    """Do not start on a database of another revision, or without one."""
    await check_migrated(settings)
    yield


@asynccontextmanager
async def migrated_or_away(_app: FastAPI, settings: Settings, _health: Health) -> AsyncIterator[None]:
    """Do not start on a database of another revision; start without one: commands are queued meanwhile."""
    try:
        await check_migrated(settings)
    except Exception as error:
        failure = failure_of(error, settings)
        if not isinstance(failure, Unreachable):
            raise
        _log.warning("the database is not checked", reason=str(failure))
    yield
