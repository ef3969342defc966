"""Requests are counted by the route's template, so that ids make no series of their own."""

from fastapi import APIRouter, FastAPI
from prometheus_client import REGISTRY

from runtime.web import build_app
from tests.web import client_of, development

TEAM = "/api/v1/counted/{team_id}"


def app() -> FastAPI:
    inner, outer = APIRouter(), APIRouter(prefix="/api/v1")

    @inner.get("/{team_id}")
    async def root(team_id: str) -> str:
        if team_id == "broken":
            raise RuntimeError
        return team_id

    outer.include_router(inner, prefix="/counted")
    return build_app("t", development(), [outer], [])


def count(route: str, status: int) -> float:
    labels = {"method": "GET", "route": route, "status": str(status)}
    return REGISTRY.get_sample_value("patternlog_http_requests_total", labels) or 0


async def test_requests_are_counted_by_route_and_status() -> None:
    async with client_of(app()) as client:
        for path in ("a", "b", "broken"):
            await client.get(f"/api/v1/counted/{path}")
        page = (await client.get("/metrics")).text
    assert (count(TEAM, 200), count(TEAM, 500)) == (2, 1)
    assert f'patternlog_http_requests_total{{method="GET",route="{TEAM}",status="200"}} 2.0' in page
    timed = REGISTRY.get_sample_value(
        "patternlog_http_request_seconds_count", {"method": "GET", "route": TEAM}
    )
    assert timed == 3


async def test_paths_without_a_route_share_one_series() -> None:
    before = count("(none)", 404)
    async with client_of(app()) as client:
        await client.get("/nowhere/1")
        await client.get("/nowhere/2")
    assert count("(none)", 404) == before + 2
