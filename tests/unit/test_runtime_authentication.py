"""Who asks is judged anew once a body has come that took its time."""

from collections.abc import AsyncIterator

import pytest
from fastapi import APIRouter, FastAPI, Request

from runtime import authentication
from runtime.authentication import Principal, principal_of, unauthenticated
from runtime.web import build_app
from tests.web import client_of, development

ROUTES = APIRouter()


@ROUTES.post("/things")
async def things(request: Request) -> dict[str, str]:
    """Judges first, and then reads, as routes of commands do."""
    principal = principal_of(request)
    return {"actor": principal.actor, "body": (await request.body()).decode()}


class Revocable:
    """Knows one person, until they are revoked."""

    def __init__(self) -> None:
        self.is_revoked = False
        self.asked = 0

    async def principal_of(self, authorization: str) -> Principal:
        self.asked += 1
        if self.is_revoked:
            raise unauthenticated(f"{authorization} was revoked")
        return Principal(actor="ada")


async def answered(revocable: Revocable, *, revoke: bool) -> tuple[int, str]:
    """The answer to a body in two parts, between which the sender may be revoked."""

    async def body() -> AsyncIterator[bytes]:
        yield b"two "
        revocable.is_revoked = revoke
        yield b"parts"

    app: FastAPI = build_app("t", development(), [ROUTES], [])
    app.state.authenticator = revocable
    async with client_of(app) as client:
        answer = await client.post("/things", content=body(), headers={"Authorization": "Bearer x"})
    return answer.status_code, answer.json()["body" if answer.is_success else "code"]


async def test_who_is_revoked_while_their_body_is_under_way_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(authentication, "FRESH_S", 0.0)
    assert await answered(Revocable(), revoke=True) == (401, "unauthenticated")
    assert await answered(Revocable(), revoke=False) == (200, "two parts")


async def test_a_body_that_comes_at_once_costs_no_second_look() -> None:
    revocable = Revocable()
    assert await answered(revocable, revoke=False) == (200, "two parts")
    assert revocable.asked == 1
