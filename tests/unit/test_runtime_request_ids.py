"""A request has one id, from its first log line to its answer."""

from typing import Any

import httpx
import pytest
import structlog
from fastapi import APIRouter, Request

from runtime.web import build_app
from tests.web import client_of, development


async def ask(given: str | bytes | None) -> tuple[httpx.Response, str]:
    """The answer, and the id that log lines have during the request."""
    router = APIRouter()

    @router.get("/")
    async def root(request: Request) -> dict[str, str]:
        logged.append(structlog.contextvars.get_contextvars()["request_id"])
        return {"seen": request.state.request_id}

    logged: list[str] = []
    headers: dict[str, Any] = {} if given is None else {"X-Request-Id": given}
    async with client_of(build_app("t", development(), [router], [])) as client:
        return await client.get("/", headers=headers), logged[0]


@pytest.mark.parametrize("given", ["a", "A-z_0.9", "x" * 64])
async def test_a_given_id_is_kept(given: str) -> None:
    response, logged = await ask(given)
    assert response.headers["x-request-id"] == response.json()["seen"] == logged == given


@pytest.mark.parametrize(
    "given", [None, "", "x" * 65, "two words", "new\tline", '"quoted"', "ümlaut".encode()]
)
async def test_an_id_that_is_missing_or_unfit_is_replaced(given: str | bytes | None) -> None:
    response, logged = await ask(given)
    made = response.headers["x-request-id"]
    assert made != given
    assert made == response.json()["seen"] == logged
    assert len(made) == 32


async def test_two_requests_have_two_ids() -> None:
    (first, _), (second, _) = await ask(None), await ask(None)
    assert first.headers["x-request-id"] != second.headers["x-request-id"]
