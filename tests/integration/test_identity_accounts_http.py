"""Accounts as clients see them: what they may send, and what the answers say and do not say."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from identity.accounts import Account
from identity.accounts_part import open_accounts
from identity.accounts_routes import router
from runtime.authentication import Principal, unauthenticated
from runtime.health import Health
from runtime.settings import Settings
from runtime.web import build_app
from tests.accounts import OTHER_PASSWORD, PASSWORD, Desk, cheap_pool, open_desk
from tests.services import Services
from tests.waiting import eventually
from tests.web import client_of

AUTH = "/api/v1/auth"
REGISTRATION = {"username": "ada", "email": "ada@example.org", "password": PASSWORD}


class TakesWord:
    """`Bearer <user id>` is a session of that user, `Key <user id>` a key of theirs."""

    async def principal_of(self, authorization: str) -> Principal:
        kind, _, actor = authorization.partition(" ")
        if not actor:
            raise unauthenticated("who?")
        if kind == "Key":
            return Principal(actor=actor, key_id="k1")
        return Principal(actor=actor, session_id="s1")


@pytest.fixture
async def desk(services: Services) -> AsyncIterator[Desk]:
    async with open_desk(services, cheap_pool()) as desk:
        yield desk


@pytest.fixture
async def client(desk: Desk, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    settings = desk.settings.model_copy(
        update={"mail_folder": str(tmp_path), "password_processes": 1, "public_url": "https://fl.example"}
    )

    def part(app: FastAPI, settings: Settings, health: Health) -> AbstractAsyncContextManager[Any]:
        app.state.authenticator = TakesWord()
        return open_accounts(app, settings, health, desk.engine, desk.endings)

    async with client_of(build_app("t", settings, [router], [part])) as client:
        yield client


async def post(
    client: httpx.AsyncClient, path: str, body: dict[str, object], as_: str | None = None
) -> tuple[int, str]:
    headers = {"Authorization": as_} if as_ else {}
    response = await client.post(AUTH + path, json=body, headers=headers)
    return response.status_code, response.json()["code"] if response.is_error else ""


def mails_in(folder: Path, number: int) -> list[str]:
    """What the mail with this number says, if it is there."""
    return [path.read_text() for path in folder.glob(f"*-{number}.eml")]


async def token_of_mail(folder: Path, number: int) -> str:
    """The token of the mail with this number, once it is there."""

    async def is_there() -> bool:
        return bool(mails_in(folder, number))

    await eventually(is_there)
    (text,) = mails_in(folder, number)
    assert "https://fl.example/" in text
    return text.partition("#token=")[2].split()[0]


async def test_an_account_from_its_registration_to_its_end(
    client: httpx.AsyncClient, desk: Desk, tmp_path: Path
) -> None:
    made = await client.post(f"{AUTH}/register", json=REGISTRATION)
    assert made.status_code == 201
    user_id = made.json()["user_id"]
    assert made.json() == {"user_id": user_id, "username": "ada", "email_verified": False}
    me = {"Authorization": f"Bearer {user_id}"}
    token = await token_of_mail(tmp_path, 1)
    assert await post(client, "/email/verify", {"token": token}) == (204, "")
    shown = (await client.get(f"{AUTH}/me", headers=me)).json()
    assert shown.pop("created_at")
    assert shown == {
        "user_id": user_id,
        "username": "ada",
        "email": "ada@example.org",
        "email_verified": True,
    }
    change: dict[str, object] = {"current_password": PASSWORD, "new_password": OTHER_PASSWORD}
    assert await post(client, "/password", change, me["Authorization"]) == (204, "")
    assert await post(client, "/password/forgotten", {"email": "ada@example.org"}) == (202, "")
    reset: dict[str, object] = {"token": await token_of_mail(tmp_path, 3), "new_password": PASSWORD}
    assert await post(client, "/password/reset", reset) == (204, "")
    assert (await client.post(f"{AUTH}/email/resend", headers=me)).status_code == 202
    assert await post(client, "/deactivate", {"password": PASSWORD}, me["Authorization"]) == (204, "")
    assert (await client.get(f"{AUTH}/me", headers=me)).json()["code"] == "unknown_account"
    assert desk.endings.asked == [(user_id, "s1"), (user_id, None), (user_id, None)]


async def test_no_answer_tells_whether_an_address_has_an_account(client: httpx.AsyncClient) -> None:
    first = await client.post(f"{AUTH}/register", json=REGISTRATION)
    second = await client.post(f"{AUTH}/register", json=REGISTRATION | {"username": "eve"})
    assert (first.status_code, set(first.json())) == (second.status_code, set(second.json()))
    asked = [
        await client.post(f"{AUTH}/password/forgotten", json={"email": email})
        for email in ("ada@example.org", "nobody@example.org", "", "no address", "a" * 4000)
    ]
    assert {(answer.status_code, answer.content) for answer in asked} == {(202, b"")}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "malformed_json"),
        (b"[]", "invalid_account"),
        (b"{}", "invalid_account"),
        (b'{"username":"a","username":"b","email":"a@b.example","password":"x"}', "duplicate_key"),
        (b'{"username":"ada","email":"ada@example.org","password":"a brass\\u0000teapot"}', "invalid_text"),
        (b'{"username":"ada","email":"ada@example.org","password":"a brass\\ud800teapot"}', "invalid_text"),
        (b'{"username":"ada","email":"ada@example.org","password":1234567890123}', "invalid_account"),
        (b'{"username":1,"email":"ada@example.org","password":"a brass teapot sings"}', "invalid_account"),
        (
            b'{"username":"ada","email":"ada@example.org","password":"a brass teapot sings","admin":true}',
            "invalid_account",
        ),
        (b'{"username":"ada","email":"ada@example.org","password":"ada@example.org"}', "unfit_password"),
        (b'{"username":"' + b"a" * 70_000 + b'","email":"a@b.example","password":"x"}', "body_too_large"),
        (b'{"username":"a","email":"a@b.example","password":"' + b"x" * 60_000 + b'"}', "unfit_password"),
    ],
)
async def test_a_body_that_is_not_right_is_refused_and_not_quoted(
    client: httpx.AsyncClient, body: bytes, code: str
) -> None:
    response = await client.post(f"{AUTH}/register", content=body)
    assert response.json()["code"] == code
    assert response.status_code == (413 if code == "body_too_large" else 400)
    assert "teapot" not in response.text
    assert len(response.content) < 1000


async def test_who_has_no_session_and_who_is_a_machine_changes_nothing(
    client: httpx.AsyncClient, desk: Desk
) -> None:
    account: Account = await desk.register()
    change: dict[str, object] = {"current_password": PASSWORD, "new_password": OTHER_PASSWORD}
    bodies: dict[str, dict[str, object]] = {
        "/password": change,
        "/deactivate": {"password": PASSWORD},
        "/email/resend": {},
    }
    for path, body in bodies.items():
        assert await post(client, path, body) == (401, "unauthenticated")
        assert await post(client, path, body, f"Key {account.user_id}") == (403, "session_required")
        assert await post(client, path, body, "Bearer ada") == (404, "unknown_account")
    assert (await client.get(f"{AUTH}/me")).status_code == 401
    assert (await client.get(f"{AUTH}/me", headers={"Authorization": f"Key {account.user_id}"})).is_success
    await desk.accounts.authenticate("ada", PASSWORD, "192.0.2.1")


async def test_each_body_is_described_with_an_example_that_fits(client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    bodies = {
        path: operation["post"]["requestBody"]["content"]["application/json"]
        for path, operation in document["paths"].items()
        if "requestBody" in operation.get("post", {})
    }
    assert len(bodies) == 6
    for path, body in bodies.items():
        assert set(body["example"]) == set(body["schema"]["required"])
        answered = await client.post(path, json=body["example"])
        assert answered.status_code in {201, 202, 400, 401}
        assert answered.is_success or answered.json()["code"] in {"bad_one_time_token", "unauthenticated"}
