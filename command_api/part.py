"""The command API as a part of a process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from command_api.command_log import CommandLog
from command_api.members.directory import StoredDirectory
from command_api.outcome_feed import OutcomeFeed
from command_api.service import CommandService
from runtime.health import Health
from runtime.log_setup import check_log
from runtime.postgres import create_engine
from runtime.service import spawn
from runtime.settings import Settings


@asynccontextmanager
async def command_api_part(app: FastAPI, settings: Settings, health: Health) -> AsyncIterator[None]:
    """Accept commands while the process runs; Postgres is needed for looking outcomes up only."""
    identity = await check_log(settings)
    engine = create_engine(settings, "patternlog-command-api")
    log = CommandLog(settings, identity.partitions)
    feed = OutcomeFeed(settings, health, identity.partitions)
    following: list[asyncio.Task[None]] = []
    try:
        await log.start()
        await feed.start()
        following.append(spawn(app, feed.run(), "outcome feed"))
        app.state.directory = StoredDirectory(engine)
        app.state.command_api = CommandService(log, feed, engine)
        yield
    finally:
        # Before its reader stops: it would take that for a failure.
        for task in following:
            task.cancel()
        await asyncio.gather(*following, return_exceptions=True)
        await feed.stop()
        await log.stop()
        await engine.dispose()
