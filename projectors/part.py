"""The projector as a part of a process: it feeds every generation of every projection."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from projectors.feeding import Feeding
from projectors.notary.keys import signing_keys
from projectors.notary.part import NotaryPart
from projectors.transaction import SESSION
from runtime.health import Health
from runtime.log_setup import check_log
from runtime.postgres import create_engine
from runtime.service import spawn
from runtime.settings import Settings


@asynccontextmanager
async def projector_part(app: FastAPI, settings: Settings, health: Health) -> AsyncIterator[None]:
    """Follow the topics as long as the process lives; a batch under way ends before it stops."""
    identity = await check_log(settings)
    app.state.settings_source.check(signing_keys)
    engine = create_engine(settings, "patternlog-notary", **SESSION)
    notary = NotaryPart(settings, engine, health)
    workers = [
        spawn(app, Feeding(settings, health, identity).run(), "feeding"),
        spawn(app, notary.run(), "notary"),
    ]
    try:
        yield
    finally:
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
        await engine.dispose()
