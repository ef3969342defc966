"""Identity as parts of a process: knowing who asks, and letting people in."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import structlog
from fastapi import FastAPI

from identity import session_statements as sql
from identity.accounts_part import open_accounts
from identity.credentials import Credentials, create_credentials
from identity.database import transaction
from identity.revocation_feed import watch
from identity.token_keys import key_ring
from runtime.health import Health
from runtime.problems import Problem
from runtime.secrets.reloading import SettingsSource
from runtime.service import spawn
from runtime.settings import Settings

_log = structlog.get_logger(__name__)

_FIRST_S = 2.0
"""Seconds that a start waits to hear what is revoked; then it begins, and refuses everybody until it has."""
_CLEAN_S = 600.0


def settings_of(app: FastAPI) -> Callable[[], Settings]:
    """The settings of a process as they are at the time."""
    source: SettingsSource = app.state.settings_source
    return source.current


@asynccontextmanager
async def token_keys_part(_app: FastAPI, settings: Settings, _health: Health) -> AsyncIterator[None]:
    """Do not start without a key that signs access tokens."""
    key_ring(settings)
    yield


@asynccontextmanager
async def authentication_part(app: FastAPI, _settings: Settings, health: Health) -> AsyncIterator[None]:
    """Know who asks; Postgres and Redis tell what was revoked, and either of them will do."""
    credentials = create_credentials(settings_of(app))
    app.state.settings_source.check(key_ring)
    app.state.credentials = credentials
    app.state.authenticator = credentials.authenticator
    workers = [
        spawn(app, credentials.postgres_feed.run(), "revocations from Postgres"),
        spawn(app, credentials.redis_feed.run(), "revocations from Redis"),
        spawn(app, watch(credentials.revocations, health), "revocations' health"),
        spawn(app, credentials.authenticator.uses.run(credentials.keys), "uses of API keys"),
    ]
    try:
        await credentials.revocations.hearing(_FIRST_S)
        yield
    finally:
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
        await credentials.authenticator.uses.write(credentials.keys)
        await credentials.close()


@asynccontextmanager
async def identity_part(app: FastAPI, settings: Settings, health: Health) -> AsyncIterator[None]:
    """Let people in, out, and see where they are; it follows the part that knows who asks."""
    credentials: Credentials = app.state.credentials
    cleaning = spawn(app, clean(credentials), "old sessions")
    try:
        async with open_accounts(app, settings, health, credentials.engine, credentials.end_sessions):
            yield
    finally:
        cleaning.cancel()
        await asyncio.gather(cleaning, return_exceptions=True)


async def clean(credentials: Credentials) -> None:
    """Delete what ended long ago, again and again."""
    while True:
        try:
            async with transaction(credentials.engine) as pg:
                await pg.execute(sql.CLEAN)
        except Problem as problem:
            _log.warning("old sessions are not deleted", reason=str(problem))
        await asyncio.sleep(_CLEAN_S)
