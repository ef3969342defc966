"""A body is refused before more of it is kept than the limit allows."""

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import APIRouter, Request

from runtime.web import build_app
from tests.web import client_of, development

LIMIT = 1000


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    router = APIRouter()

    @router.post("/")
    async def root(request: Request) -> int:
        return len(await request.body())

    async with client_of(build_app("t", development(max_body_bytes=LIMIT), [router], [])) as client:
        yield client


async def in_pieces(size: int, taken: list[int]) -> AsyncIterator[bytes]:
    for _ in range(size // 100):
        taken.append(100)
        yield bytes(100)


def assert_too_large(response: httpx.Response) -> None:
    assert response.status_code == 413
    assert response.json()["code"] == "body_too_large"
    assert response.json()["limit"] == LIMIT
    assert response.headers["x-request-id"] == response.json()["request_id"]


async def test_a_body_of_the_limit_is_read(client: httpx.AsyncClient) -> None:
    assert (await client.post("/", content=bytes(LIMIT))).json() == LIMIT
    assert (await client.post("/", content=in_pieces(LIMIT, []))).json() == LIMIT


async def test_a_body_that_announces_more_is_refused_unread(client: httpx.AsyncClient) -> None:
    taken: list[int] = []
    content = in_pieces(LIMIT * 2, taken)
    assert_too_large(await client.post("/", content=content, headers={"Content-Length": str(LIMIT + 1)}))
    assert taken == []


async def test_a_body_that_sends_more_than_it_said_is_refused_at_the_limit(client: httpx.AsyncClient) -> None:
    taken: list[int] = []
    assert_too_large(await client.post("/", content=in_pieces(LIMIT * 100, taken)))
    assert sum(taken) <= LIMIT + 200


async def test_a_chunked_body_is_counted_whatever_length_it_announces(client: httpx.AsyncClient) -> None:
    headers = {"Content-Length": "1", "Transfer-Encoding": "chunked"}
    assert_too_large(await client.post("/", content=in_pieces(LIMIT * 2, []), headers=headers))


async def test_who_wants_to_be_let_in_sends_no_more_than_a_small_body() -> None:
    router = APIRouter()

    @router.post("/api/v1/auth/login")
    async def login(request: Request) -> int:
        return len(await request.body())

    settings = development(max_json_bytes=LIMIT)
    async with client_of(build_app("t", settings, [router], [])) as client:
        assert (await client.post("/api/v1/auth/login", content=bytes(LIMIT))).json() == LIMIT
        assert_too_large(await client.post("/api/v1/auth/login", content=bytes(LIMIT + 1)))
        assert_too_large(await client.post("/api/v1/auth/login", content=in_pieces(LIMIT * 2, [])))
