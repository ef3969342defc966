"""An app whose requests are limited, and what is asked of it."""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from fastapi import APIRouter, FastAPI, Request
from pydantic import SecretStr

from events.roles import Tier
from runtime.authentication import Principal, unauthenticated
from runtime.rate_limits.limiting import charge, charge_login
from runtime.settings import Settings
from runtime.web import build_app
from tests.web import client_of, development

NOBODY = "redis://127.0.0.1:1/0"
"""Where no Redis is, so that each app counts for itself."""


class Known:
    """Whoever a token describes as `actor/organization/tier`."""

    async def principal_of(self, authorization: str) -> Principal:
        actor, organization, tier = f"{authorization.removeprefix('Bearer ')}//".split("/")[:3]
        if actor == "bad":
            raise unauthenticated("it is bad")
        return Principal(actor=actor, organization_id=organization or None, tier=Tier(tier or "free"))


def limited(redis_url: str = NOBODY, **changes: object) -> Settings:
    """Settings with limits of which a test can see the end, counted apart from every other test's."""
    small = {
        "rate_anonymous": 5,
        "rate_login": 3,
        "rate_login_account": 2,
        "rate_free_reads": 10,
        "rate_free_writes": 20,
        "rate_team_reads": 15,
        "rate_organization_factor": 2,
    }
    shared = {"redis_url": SecretStr(redis_url), "topic_prefix": f"test-{uuid.uuid4().hex}"}
    return development(**{"rate_limits": True, **shared, **small, **changes})


def limited_app(settings: Settings) -> FastAPI:
    router = APIRouter()

    @router.get("/api/v1/things")
    async def read() -> str:
        return "read"

    @router.post("/api/v1/things")
    async def write(request: Request, count: int = 1) -> str:
        await charge(request, count - 1)
        return "written"

    @router.post("/api/v1/auth/login")
    async def login(request: Request, account: str = "") -> str:
        if account:
            await charge_login(request, account)
        return "in"

    app = build_app("t", settings, [router], [])
    app.state.authenticator = Known()
    return app


@asynccontextmanager
async def limited_client(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(limited_app(settings)) as client:
        yield client


def of(who: str) -> dict[str, str]:
    """The header by which `Known` knows them."""
    return {"Authorization": f"Bearer {who}"}


async def admitted(client: httpx.AsyncClient, times: int, who: str = "", path: str = "/api/v1/things") -> int:
    """How many of so many reads are answered."""
    headers = of(who) if who else {}
    statuses = [(await client.get(path, headers=headers)).status_code for _ in range(times)]
    assert set(statuses) <= {200, 429}
    return statuses.count(200)
