"""An API key acts for who made it, as far as it was made for, until it is over or deleted."""

import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest

from identity.api_keys import MOST
from tests.identity_processes import WHO, IdentityProcess, Surroundings, identity_process, surroundings
from tests.services import Services
from tests.tokens import bearer

KEYS = "/api/v1/auth/keys"
REFUSED = (401, "unauthenticated")


@pytest.fixture(scope="module")
async def around(services: Services) -> AsyncIterator[Surroundings]:
    async with surroundings(services) as around:
        yield around


@pytest.fixture(scope="module")
async def process(around: Surroundings) -> AsyncIterator[IdentityProcess]:
    async with identity_process(around.settings) as process:
        yield process


async def made(process: IdentityProcess, actor: str = "ada", **members: Any) -> Any:
    body = {"name": "ci", "right": "viewer", **members}
    answer = await process.client.post(KEYS, json=body, headers={"Authorization": bearer(actor)})
    assert answer.status_code == 201, answer.text
    assert answer.headers["cache-control"] == "no-store"
    return answer.json()


async def listed(process: IdentityProcess, actor: str = "ada") -> list[Any]:
    answer = await process.client.get(KEYS, headers={"Authorization": bearer(actor)})
    found: list[Any] = answer.json()["keys"]
    return found


async def test_a_key_is_shown_once_and_stands_for_its_maker_within_its_bounds(
    process: IdentityProcess, around: Surroundings
) -> None:
    team_id = str(uuid.uuid4())
    key = await made(process, team_id=team_id, right="developer")
    assert key["key"].startswith("fl_")
    assert len(key["key"]) == len("fl_") + 43
    answer = await process.client.get(WHO, headers={"Authorization": f"bearer {key['key']}"})
    assert answer.json() == {"actor": "ada", "team_id": team_id, "at_most": "developer"}
    (shown,) = [one for one in await listed(process) if one["key_id"] == key["key_id"]]
    assert shown == {name: value for name, value in key.items() if name != "key"}
    rows = await around.pg.fetch("SELECT k::text FROM identity.api_keys AS k")
    assert key["key"] not in str(rows)
    assert key["key"].encode().hex() not in str(rows)


async def test_a_key_of_another_service_is_known_by_its_hash(
    process: IdentityProcess, around: Surroundings
) -> None:
    await around.pg.execute(
        "INSERT INTO identity.api_keys (key_id, hash, user_id, name, at_most)"
        " VALUES ($1, sha256('fl_live.OLD/key=+~'), 'bob', 'old', 'viewer')",
        str(uuid.uuid4()),
    )
    assert await process.who("Bearer fl_live.OLD/key=+~") == (200, "bob")


@pytest.mark.parametrize(
    "secret", ["fl_", "fl_x", "fl_" + "x" * 43, "fl_" + "x" * 253, "fl_" + "x" * 5000, "FL_x"]
)
async def test_what_no_key_is_is_refused(process: IdentityProcess, secret: str) -> None:
    assert await process.who(f"Bearer {secret}") == REFUSED


async def test_a_key_ends_by_itself(process: IdentityProcess, around: Surroundings) -> None:
    key = await made(process, expires_in_days=1)
    assert key["expires_at"] is not None
    await around.pg.execute(
        "UPDATE identity.api_keys SET expires_at = now() WHERE key_id = $1", key["key_id"]
    )
    assert await process.who(f"Bearer {key['key']}") == (401, "token_expired")


async def test_nobody_deletes_the_key_of_another(process: IdentityProcess) -> None:
    key = await made(process)
    url = f"{KEYS}/{key['key_id']}"
    answer = await process.client.delete(url, headers={"Authorization": bearer("bob")})
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_key")
    assert (await process.who(f"Bearer {key['key']}"))[0] == 200
    assert (await process.client.delete(url, headers={"Authorization": bearer("ada")})).status_code == 204
    assert await process.who(f"Bearer {key['key']}") == (401, "token_revoked")


async def test_a_key_makes_no_keys_and_ends_no_sessions(process: IdentityProcess) -> None:
    headers = {"Authorization": f"Bearer {(await made(process, right='admin'))['key']}"}
    answers = [
        await process.client.post(KEYS, json={"name": "x", "right": "admin"}, headers=headers),
        await process.client.get(KEYS, headers=headers),
        await process.client.delete(f"{KEYS}/{uuid.uuid4()}", headers=headers),
        await process.client.get("/api/v1/auth/sessions", headers=headers),
        await process.client.delete("/api/v1/auth/sessions", headers=headers),
        await process.client.post("/api/v1/auth/logout", headers=headers),
        await process.client.post("/api/v1/auth/tokens/revoke", json={"token": "x"}, headers=headers),
    ]
    assert {(one.status_code, one.json()["code"]) for one in answers} == {(403, "session_required")}


async def test_a_session_that_has_ended_makes_no_key_though_its_process_has_not_heard_yet(
    process: IdentityProcess, around: Surroundings
) -> None:
    user = await around.user()
    sessions = process.credentials.sessions
    session = await sessions.open(user, "", "", await sessions.now())
    # As another process does, whose word of it is still under way: all sessions, and then all keys.
    await around.pg.execute(
        "UPDATE identity.sessions SET ended_at = now() WHERE session_id = $1", session.session_id
    )
    headers = {"Authorization": bearer(user.user_id, sid=session.session_id)}
    assert (await process.who(headers["Authorization"]))[0] == 200
    answer = await process.client.post(KEYS, json={"name": "ci", "right": "admin"}, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "token_revoked")
    assert await process.credentials.keys.of(user.user_id) == []


async def test_the_last_use_is_written_aside(process: IdentityProcess) -> None:
    key = await made(process, "carol")
    assert (await process.who(f"Bearer {key['key']}"))[0] == 200
    assert [one["last_used_at"] for one in await listed(process, "carol")] == [None]
    await process.credentials.authenticator.uses.write(process.credentials.keys)
    assert [one["last_used_at"] is not None for one in await listed(process, "carol")] == [True]


async def test_a_user_has_so_many_keys_at_the_most(process: IdentityProcess) -> None:
    for _ in range(MOST):
        await made(process, "dora")
    body = {"name": "more", "right": "viewer"}
    answer = await process.client.post(KEYS, json=body, headers={"Authorization": bearer("dora")})
    assert (answer.status_code, answer.json()["code"], answer.json()["limit"]) == (409, "too_many_keys", MOST)


@pytest.mark.parametrize(
    "members",
    [
        {"name": ""},
        {"name": "a\x00b"},
        {"name": "x" * 65},
        {"right": "owner"},
        {"team_id": "none"},
        {"expires_in_days": 0},
        {"expires_in_days": 1e9},
        {"expires_in_days": True},
        {"key": "fl_mine"},
    ],
)
async def test_a_malformed_wish_is_a_problem(process: IdentityProcess, members: dict[str, Any]) -> None:
    body = {"name": "ci", "right": "viewer", **members}
    answer = await process.client.post(KEYS, json=body, headers={"Authorization": bearer("ada")})
    assert (answer.status_code, answer.json()["code"]) in {(400, "invalid_body"), (400, "invalid_text")}
