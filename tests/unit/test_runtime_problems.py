"""Whatever goes wrong, the client reads a problem document with a stable code."""

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import APIRouter

from runtime.problems import Problem
from runtime.web import build_app
from tests.web import client_of, development


def routes() -> APIRouter:
    router = APIRouter()

    @router.get("/limited")
    async def limited(limit: int) -> int:
        return limit

    @router.get("/taken")
    async def taken() -> None:
        raise Problem("name_taken", 409, "it is taken", headers={"Retry-After": "1"}, pointer="/fields/name")

    @router.get("/quoting")
    async def quoting() -> None:
        raise Problem("invalid_text", 400, "a lone surrogate: \ud800", also="\udfff")

    @router.get("/broken")
    async def broken() -> None:
        raise RuntimeError("the password is hunter2")

    return router


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(build_app("t", development(), [routes()], [])) as client:
        yield client


def assert_is_problem(response: httpx.Response, status: int, code: str) -> None:
    body = response.json()
    assert response.status_code == body["status"] == status
    assert body["code"] == code
    assert body["type"] == f"urn:patternlog:problem:{code}"
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers.get_list("x-request-id") == [body["request_id"]]
    assert body["title"]
    assert body["detail"]


async def test_an_unknown_path_is_not_found(client: httpx.AsyncClient) -> None:
    assert_is_problem(await client.get("/nowhere"), 404, "not_found")


async def test_another_method_is_not_allowed_and_the_right_one_is_named(client: httpx.AsyncClient) -> None:
    response = await client.delete("/limited")
    assert_is_problem(response, 405, "method_not_allowed")
    assert response.headers["allow"] == "GET"


@pytest.mark.parametrize("query", ["", "?limit=many", "?limit=1.5"])
async def test_a_wrong_parameter_is_named(client: httpx.AsyncClient, query: str) -> None:
    response = await client.get(f"/limited{query}")
    assert_is_problem(response, 400, "invalid_parameter")
    assert response.json()["parameter"] == "limit"


async def test_a_problem_carries_its_own_members_and_headers(client: httpx.AsyncClient) -> None:
    response = await client.get("/taken")
    assert_is_problem(response, 409, "name_taken")
    assert response.json()["pointer"] == "/fields/name"
    assert response.json()["title"] == "Name taken"
    assert response.headers["retry-after"] == "1"


async def test_quoting_what_is_no_text_does_not_break_the_answer(client: httpx.AsyncClient) -> None:
    response = await client.get("/quoting")
    assert_is_problem(response, 400, "invalid_text")
    assert response.json()["also"] == "?"


async def test_a_bug_tells_the_client_nothing_but_where_to_look(client: httpx.AsyncClient) -> None:
    response = await client.get("/broken", headers={"X-Request-Id": "r-1"})
    assert_is_problem(response, 500, "internal_error")
    assert response.json()["request_id"] == "r-1"
    assert "hunter2" not in response.text
