"""Every process has the same shape: parts with a lifetime, and the pages that operators read."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from fastapi import APIRouter, FastAPI

from runtime.health import Health
from runtime.settings import Settings
from runtime.web import Part, build_app
from tests.web import client_of, development


def part(name: str, journal: list[str], *, fails: bool = False) -> Part:
    @asynccontextmanager
    async def lifetime(_app: FastAPI, _settings: Settings, _health: Health) -> AsyncIterator[None]:
        if fails:
            raise ConnectionError(name)
        journal.append(f"{name} starts")
        try:
            yield
        finally:
            journal.append(f"{name} stops")

    return lifetime


async def test_parts_start_in_order_and_stop_in_reverse() -> None:
    journal: list[str] = []
    app = build_app("t", development(), [], [part("a", journal), part("b", journal)])
    async with app.router.lifespan_context(app):
        assert journal == ["a starts", "b starts"]
    assert journal[2:] == ["b stops", "a stops"]


async def test_a_part_that_does_not_start_stops_the_ones_before_it() -> None:
    journal: list[str] = []
    app = build_app("t", development(), [], [part("a", journal), part("b", journal, fails=True)])
    with pytest.raises(ConnectionError, match="b"):
        async with app.router.lifespan_context(app):
            pytest.fail("it started")
    assert journal == ["a starts", "a stops"]


async def test_a_part_leaves_what_its_routes_need_on_the_app() -> None:
    router = APIRouter()

    @router.get("/api/v1/greeting")
    async def greeting() -> str:
        return str(app.state.greeting)

    @asynccontextmanager
    async def greeter(app: FastAPI, _settings: Settings, _health: Health) -> AsyncIterator[None]:
        app.state.greeting = "hello"
        yield

    app = build_app("t", development(), [router], [greeter])
    async with client_of(app) as client:
        assert (await client.get("/api/v1/greeting")).json() == "hello"


async def test_the_api_is_described_with_its_token_and_its_problems() -> None:
    router = APIRouter()

    @router.get("/api/v1/teams/{team_id}/x")
    async def x(team_id: str, limit: int = 1) -> str:
        return team_id * limit

    app = build_app("Patternlog", development(), [router], [])
    async with client_of(app) as client:
        document = (await client.get("/openapi.json")).json()
        assert (await client.get("/docs")).status_code == 200
    operation = document["paths"]["/api/v1/teams/{team_id}/x"]["get"]
    assert operation["security"] == [{"bearer": []}]
    statuses = {"200", "400", "401", "408", "414", "429", "431", "500", "503"}
    assert set(operation["responses"]) == statuses
    assert "security" not in document["paths"]["/health/live"]["get"]
    reference = operation["responses"]["401"]["content"]["application/problem+json"]["schema"]["$ref"]
    assert reference == "#/components/schemas/Problem"
    assert "Problem" in document["components"]["schemas"]
