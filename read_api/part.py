"""The read API as a part of a process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from read_api.database import SESSION, Database
from read_api.problems import DatabaseUnavailable
from read_api.reader import ReadService
from runtime.health import Health
from runtime.log_setup import check_log
from runtime.postgres import create_engine
from runtime.service import spawn
from runtime.settings import Settings

HEALTH_INTERVAL_S = 0.5


@asynccontextmanager
async def read_api_part(app: FastAPI, settings: Settings, health: Health) -> AsyncIterator[None]:
    """Answer reads while the process runs; Kafka is needed at start only, to learn which log it is."""
    identity = await check_log(settings)
    engine = create_engine(settings, "patternlog-read-api", **SESSION)
    service = ReadService(Database(engine), identity.log_id)
    app.state.read_api = service
    workers = [
        spawn(app, service.visibility.run(), "visibility"),
        spawn(app, service.roles.run(), "newcomers"),
        spawn(app, watch(service, health), "read models' health"),
    ]
    try:
        yield
    finally:
        for worker in workers:
            worker.cancel()
        await engine.dispose()


async def watch(service: ReadService, health: Health) -> None:
    """Follow what is live, and tell the health check whether the read models can be reached."""
    health.set("postgres", "not reached yet")
    while True:
        try:
            await service.database.follow()
            health.set("postgres", None)
        except DatabaseUnavailable as error:
            health.set("postgres", error.reason)
        await asyncio.sleep(HEALTH_INTERVAL_S)
