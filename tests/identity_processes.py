"""Processes of identity inside a test: what they know of credentials, and routes to ask them."""

import uuid
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import asyncpg
import httpx
from fastapi import APIRouter, FastAPI, Request
from pydantic import SecretStr
from sqlalchemy import make_url

from identity.accounts import Account
from identity.credentials import Credentials
from identity.part import authentication_part, identity_part
from identity.routes import router
from migrations.run import upgrade
from runtime.authentication import principal_of
from runtime.settings import Settings
from runtime.web import build_app
from tests.databases import fresh_database, settings_for
from tests.proxy import Proxy, proxy_to
from tests.services import Services
from tests.web import client_of

WHO = "/api/v1/who"


@dataclass(frozen=True, kw_only=True)
class IdentityProcess:
    """One process, and a client of it."""

    app: FastAPI
    client: httpx.AsyncClient
    credentials: Credentials

    async def who(self, authorization: str) -> tuple[int, str]:
        """Whom it takes somebody for: status, and the actor or the problem's code."""
        answer = await self.client.get(WHO, headers={"Authorization": authorization})
        body = answer.json()
        return answer.status_code, body["actor"] if answer.is_success else body["code"]

    async def health(self) -> tuple[int, dict[str, str]]:
        """Whether it is ready, and its parts."""
        answer = await self.client.get("/health/ready")
        return answer.status_code, answer.json()["parts"]


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """A database and a Redis, each behind a proxy that the test may cut."""

    settings: Settings
    postgres: Proxy
    redis: Proxy
    pg: asyncpg.Connection

    async def user(self, name: str = "") -> Account:
        """Somebody who has an account."""
        user_id, username = str(uuid.uuid4()), name or f"user-{uuid.uuid4().hex[:8]}"
        changed = datetime.now(UTC)
        await self.pg.execute(
            "INSERT INTO identity.users (user_id, username, username_key, password_changed_at)"
            " VALUES ($1, $2, $2, $3)",
            *(user_id, username, changed),
        )
        return Account(
            user_id=user_id,
            username=username,
            email="",
            email_verified=False,
            created_at=changed,
            password_changed_at=changed,
        )


@asynccontextmanager
async def surroundings(services: Services) -> AsyncIterator[Surroundings]:
    """A migrated database, and both proxies at work."""
    async with AsyncExitStack() as stack:
        dsn = await stack.enter_async_context(fresh_database(services))
        settings = settings_for(services, dsn)
        await upgrade(settings)
        postgres = await stack.enter_async_context(_proxy(dsn))
        redis = await stack.enter_async_context(_proxy(services.redis_url))
        pg = await asyncpg.connect(dsn)
        stack.push_async_callback(pg.close)
        changes = {
            "postgres_dsn": _through(postgres, dsn),
            "redis_url": _through(redis, services.redis_url),
            "postgres_pool_size": 3,
            "bcrypt_cost": 4,
            "password_processes": 1,
            "postgres_connect_timeout_s": 2.0,
            "postgres_statement_timeout_s": 2.0,
        }
        yield Surroundings(
            settings=settings.model_copy(update=changes), postgres=postgres, redis=redis, pg=pg
        )


@asynccontextmanager
async def identity_process(settings: Settings) -> AsyncIterator[IdentityProcess]:
    """A process, started."""
    who = APIRouter()

    @who.get(WHO)
    async def ask(request: Request) -> dict[str, str | None]:
        principal = principal_of(request)
        return {"actor": principal.actor, "team_id": principal.team_id, "at_most": principal.at_most}

    app = build_app("identity", settings, [router, who], [authentication_part, identity_part])
    async with client_of(app) as client:
        yield IdentityProcess(app=app, client=client, credentials=app.state.credentials)


def _proxy(url: str) -> AbstractAsyncContextManager[Proxy]:
    target = make_url(url)
    return proxy_to(str(target.host), target.port or 5432)


def _through(proxy: Proxy, url: str) -> SecretStr:
    target = make_url(url).set(host="127.0.0.1", port=proxy.port)
    return SecretStr(target.render_as_string(hide_password=False))
