"""A JSON body that is not a command is read as strictly as one, and never quoted."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from runtime.json_body import read_json
from runtime.web import build_app
from tests.web import client_of, development

LIMIT = 1000
SECRET = "hunter2"


class Login(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    username: str = Field(max_length=10)
    password: str = Field(min_length=12)


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    router = APIRouter()

    @router.post("/login")
    async def login(request: Request) -> str:
        return (await read_json(request, Login)).username

    async with client_of(build_app("t", development(max_json_bytes=LIMIT), [router], [])) as client:
        yield client


async def post(client: httpx.AsyncClient, body: bytes, content_type: str = "application/json") -> Any:
    headers = {"Content-Type": content_type} if content_type else {}
    return await client.post("/login", content=body, headers=headers)


async def test_a_good_body_is_the_model(client: httpx.AsyncClient) -> None:
    body = b'{"username":"ada","password":"correct horse"}'
    assert (await post(client, body)).json() == "ada"
    assert (await post(client, body, "Application/JSON; charset=utf-8")).json() == "ada"


@pytest.mark.parametrize(
    "content_type", ["", "text/plain", "application/x-www-form-urlencoded", "application/jsonp"]
)
async def test_another_type_of_body_is_refused(client: httpx.AsyncClient, content_type: str) -> None:
    response = await post(client, b'{"username":"ada","password":"correct horse"}', content_type)
    assert (response.status_code, response.json()["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        (b"", "malformed_json", None),
        (b'{"a":NaN}', "malformed_json", None),
        (b'{"a":1e999}', "number_out_of_range", None),
        (b'{"username":"a","username":"b"}', "duplicate_key", None),
        (b'{"a":"\\u0000"}', "invalid_text", None),
        (b"[" * 40 + b"]" * 40, "too_deep", None),
        (b"[" * 400 + b"]" * 400, "too_deep", None),
        (b"[]", "invalid_body", ""),
        (b"{}", "invalid_body", "/username"),
        (b'{"username":1,"password":"correct horse"}', "invalid_body", "/username"),
        (b'{"username":"ada","password":"hunter2"}', "invalid_body", "/password"),
        (b'{"username":"ada","password":"correct horse","a/b~":1}', "invalid_body", "/a~1b~0"),
    ],
)
async def test_a_bad_body_is_told_where_and_not_quoted(
    client: httpx.AsyncClient, body: bytes, code: str, pointer: str | None
) -> None:
    response = await post(client, body)
    assert (response.status_code, response.json()["code"]) == (400, code)
    assert response.json().get("pointer") == pointer
    assert SECRET not in response.text


async def test_a_body_that_is_too_large_is_refused(client: httpx.AsyncClient) -> None:
    response = await post(client, b'"' + b"x" * LIMIT + b'"')
    assert (response.status_code, response.json()["code"]) == (413, "body_too_large")
    assert response.json()["limit"] == LIMIT
