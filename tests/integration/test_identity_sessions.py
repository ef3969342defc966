"""A session goes on by tokens that are good for one use, and ends when one of them was copied."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from identity.access_tokens import TokenFormat
from identity.sessions import MOST, Opened, Sessions
from runtime.problems import Problem
from tests.identity_processes import IdentityProcess, Surroundings, identity_process, surroundings
from tests.services import Services
from tests.tokens import bearer, form

PASSWORD = "a long and winding road"
REUSED = (401, "token_revoked")


@pytest.fixture(scope="module")
async def around(services: Services) -> AsyncIterator[Surroundings]:
    async with surroundings(services) as around:
        yield around


@pytest.fixture(scope="module")
async def process(around: Surroundings) -> AsyncIterator[IdentityProcess]:
    async with identity_process(around.settings) as process:
        yield process


@pytest.fixture
def sessions(process: IdentityProcess) -> Sessions:
    return process.credentials.sessions


async def opened(sessions: Sessions, around: Surroundings) -> Opened:
    return await sessions.open(await around.user(), "laptop", "", await sessions.now())


async def refused(sessions: Sessions, token: str) -> tuple[int, str]:
    with pytest.raises(Problem) as problem:
        await sessions.refresh(token, "")
    return problem.value.status, problem.value.code


async def age(around: Surroundings, session: Opened) -> None:
    """Let the grace of the tokens that were used be over."""
    await around.pg.execute(
        "UPDATE identity.refresh_tokens SET used_at = used_at - interval '1 hour' WHERE session_id = $1",
        session.session_id,
    )


def of_session(session: Opened) -> str:
    return bearer(session.user_id, sid=session.session_id)


async def test_each_refresh_gives_the_next_token(sessions: Sessions, around: Surroundings) -> None:
    session = await opened(sessions, around)
    token = session.refresh_token
    for _ in range(5):
        following = await sessions.refresh(token, "")
        assert (following.session_id, following.user_id) == (session.session_id, session.user_id)
        assert following.refresh_token != token
        token = following.refresh_token


async def test_a_token_that_comes_a_second_time_ends_the_session(
    sessions: Sessions, around: Surroundings, process: IdentityProcess
) -> None:
    session = await opened(sessions, around)
    following = await sessions.refresh(session.refresh_token, "")
    await age(around, session)
    assert (await process.who(of_session(session)))[0] == 200
    assert await refused(sessions, session.refresh_token) == REUSED
    assert await refused(sessions, following.refresh_token) == REUSED
    assert await process.who(of_session(session)) == REUSED


async def test_a_token_whose_answer_was_lost_may_come_again_for_a_moment(
    sessions: Sessions, around: Surroundings
) -> None:
    session = await opened(sessions, around)
    lost = await sessions.refresh(session.refresh_token, "")
    heard = await sessions.refresh(session.refresh_token, "")
    assert lost.refresh_token != heard.refresh_token
    following = await sessions.refresh(heard.refresh_token, "")
    assert await refused(sessions, lost.refresh_token) == REUSED
    assert await refused(sessions, following.refresh_token) == REUSED


async def test_a_used_token_is_not_taken_once_something_newer_was_used(
    sessions: Sessions, around: Surroundings
) -> None:
    session = await opened(sessions, around)
    following = await sessions.refresh(session.refresh_token, "")
    await sessions.refresh(following.refresh_token, "")
    assert await refused(sessions, session.refresh_token) == REUSED


async def test_two_refreshes_at_once_leave_one_chain(sessions: Sessions, around: Surroundings) -> None:
    session = await opened(sessions, around)
    one, other = await asyncio.gather(
        sessions.refresh(session.refresh_token, ""), sessions.refresh(session.refresh_token, "")
    )
    await sessions.refresh(one.refresh_token, "")
    assert await refused(sessions, other.refresh_token) == REUSED


async def test_an_end_beside_a_refresh_wins(
    sessions: Sessions, around: Surroundings, process: IdentityProcess
) -> None:
    for _ in range(10):
        session = await opened(sessions, around)
        results = await asyncio.gather(
            sessions.refresh(session.refresh_token, ""),
            sessions.end(session.user_id, session.session_id),
            return_exceptions=True,
        )
        assert results[1] is True
        token = results[0].refresh_token if isinstance(results[0], Opened) else session.refresh_token
        assert await refused(sessions, token) == REUSED
        assert await process.who(of_session(session)) == REUSED


async def test_a_login_that_began_before_all_sessions_were_ended_comes_to_nothing(
    sessions: Sessions, around: Surroundings
) -> None:
    user, began = await around.user(), await sessions.now()
    await sessions.end_all(user.user_id)
    with pytest.raises(Problem, match="token_revoked"):
        await sessions.open(user, "", "", began)
    await sessions.open(user, "", "", await sessions.now())


async def test_a_login_with_a_password_that_was_changed_meanwhile_comes_to_nothing(
    sessions: Sessions, around: Surroundings
) -> None:
    user = await around.user()
    await around.pg.execute(
        "UPDATE identity.users SET password_changed_at = now() WHERE user_id = $1", user.user_id
    )
    with pytest.raises(Problem, match="token_revoked"):
        await sessions.open(user, "", "", await sessions.now())


async def test_an_unknown_token_and_an_expired_session_are_told_apart(
    sessions: Sessions, around: Surroundings
) -> None:
    assert await refused(sessions, "nobody's") == (401, "unauthenticated")
    session = await opened(sessions, around)
    await around.pg.execute(
        "UPDATE identity.refresh_tokens SET expires_at = now() WHERE session_id = $1", session.session_id
    )
    assert await refused(sessions, session.refresh_token) == (401, "token_expired")


async def test_one_session_too_many_ends_the_one_that_was_used_least_lately(
    sessions: Sessions, around: Surroundings
) -> None:
    user = await around.user()
    first = await sessions.open(user, "first", "", await sessions.now())
    for _ in range(MOST):
        await sessions.open(user, "more", "", await sessions.now())
    found = await sessions.of(user.user_id)
    assert (len(found), {one.device for one in found}) == (MOST, {"more"})
    assert await refused(sessions, first.refresh_token) == REUSED


async def test_no_token_stands_in_the_database(sessions: Sessions, around: Surroundings) -> None:
    session = await opened(sessions, around)
    rows = await around.pg.fetch("SELECT t::text FROM identity.refresh_tokens AS t")
    rows += await around.pg.fetch("SELECT s::text FROM identity.sessions AS s")
    assert session.refresh_token not in str(rows)
    assert session.refresh_token.encode().hex() not in str(rows)
    assert session.refresh_token not in repr(session)


async def post(client: httpx.AsyncClient, path: str, body: Any = None, token: str = "") -> httpx.Response:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return await client.post(f"/api/v1/auth/{path}", json=body, headers=headers)


async def logged_in(client: httpx.AsyncClient, name: str) -> Any:
    body = {"username": name, "email": f"{name}@example.org", "password": PASSWORD}
    assert (await post(client, "register", body)).status_code == 201
    answer = await post(client, "login", {"username": name, "password": PASSWORD, "device": "laptop"})
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    return answer.json()


async def test_a_user_logs_in_goes_on_and_logs_out(process: IdentityProcess) -> None:
    client = process.client
    tokens = await logged_in(client, "grace")
    assert (tokens["token_type"], tokens["expires_in"], tokens["username"]) == ("bearer", 900, "grace")
    assert (tokens["organization_id"], tokens["role"]) == (None, None)
    assert await process.who(f"Bearer {tokens['access_token']}") == (200, tokens["user_id"])
    following = (await post(client, "refresh", {"refresh_token": tokens["refresh_token"]})).json()
    assert following["username"] == "grace"
    headers = {"Authorization": f"Bearer {following['access_token']}"}
    (session,) = (await client.get("/api/v1/auth/sessions", headers=headers)).json()["sessions"]
    assert (session["device"], session["current"]) == ("laptop", True)
    assert (await post(client, "logout", token=following["access_token"])).status_code == 204
    for token in (tokens["access_token"], following["access_token"]):
        assert await process.who(f"Bearer {token}") == REUSED
    answer = await post(client, "refresh", {"refresh_token": following["refresh_token"]})
    assert (answer.status_code, answer.json()["code"]) == REUSED


async def test_the_tries_of_one_account_from_one_address_are_limited(around: Surroundings) -> None:
    changes = {"rate_limits": True, "rate_login_account": 2, "topic_prefix": f"test-{uuid.uuid4().hex}"}
    async with identity_process(around.settings.model_copy(update=changes)) as process:

        async def tried(name: str) -> tuple[int, str]:
            answer = await post(process.client, "login", {"username": name, "password": PASSWORD})
            return answer.status_code, answer.json()["code"]

        assert [(await tried("nobody"))[0] for _ in range(2)] == [401, 401]
        assert await tried("Nobody") == (429, "rate_limited")
        assert await tried("somebody") == (401, "invalid_credentials")


async def test_a_new_password_ends_the_other_sessions(process: IdentityProcess) -> None:
    client = process.client
    tokens = await logged_in(client, "hopper")
    other = (await post(client, "login", {"username": "hopper", "password": PASSWORD})).json()
    change = {"current_password": PASSWORD, "new_password": "another long and winding road"}
    answer = await post(client, "password", change, tokens["access_token"])
    assert answer.is_success, answer.text
    assert await process.who(f"Bearer {tokens['access_token']}") == (200, tokens["user_id"])
    assert await process.who(f"Bearer {other['access_token']}") == REUSED


async def test_one_access_token_is_revoked_and_its_session_goes_on(process: IdentityProcess) -> None:
    client = process.client
    tokens = await logged_in(client, "curie")
    following = (await post(client, "refresh", {"refresh_token": tokens["refresh_token"]})).json()
    body = {"token": tokens["access_token"]}
    assert (await post(client, "tokens/revoke", body, following["access_token"])).status_code == 204
    assert await process.who(f"Bearer {tokens['access_token']}") == REUSED
    assert (await process.who(f"Bearer {following['access_token']}"))[0] == 200


async def test_nobody_ends_the_session_of_another(process: IdentityProcess) -> None:
    one, other = await logged_in(process.client, "noether"), await logged_in(process.client, "germain")
    headers = {"Authorization": f"Bearer {one['access_token']}"}
    for session_id in (other["session_id"], str(uuid.uuid4())):
        answer = await process.client.delete(f"/api/v1/auth/sessions/{session_id}", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_session")
    assert (await process.who(f"Bearer {other['access_token']}"))[0] == 200


@pytest.mark.parametrize("body", [{}, {"refresh_token": 5}, {"refresh_token": ""}, [], "x"])
async def test_a_malformed_body_is_a_problem(process: IdentityProcess, body: Any) -> None:
    answer = await post(process.client, "refresh", body)
    assert answer.status_code == 400, answer.text


async def test_half_of_a_surrogate_pair_is_no_token(process: IdentityProcess) -> None:
    answer = await process.client.post(
        "/api/v1/auth/refresh",
        content=b'{"refresh_token": "\\ud800"}',
        headers={"Content-Type": "application/json"},
    )
    assert answer.status_code == 400, answer.text


async def test_the_public_keys_verify_what_is_signed(process: IdentityProcess) -> None:
    keys = (await process.client.get("/.well-known/jwks.json")).json()["keys"]
    ring: TokenFormat = form()
    assert keys == [ring.ring.signing.jwk]
    assert all("d" not in key for key in keys)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", "malformed_json"),
        (b'{"refresh_token":"a","refresh_token":"b"}', "duplicate_key"),
        (b'{"refresh_token":"\\ud800"}', "invalid_text"),
        (b'{"refresh_token":1}', "invalid_body"),
        (b"{}", "invalid_body"),
        (b'{"refresh_token":"a","more":1}', "invalid_body"),
    ],
)
@pytest.mark.parametrize("path", ["refresh", "login"])
async def test_a_body_is_read_strictly(process: IdentityProcess, path: str, body: bytes, code: str) -> None:
    headers = {"Content-Type": "application/json"}
    answer = await process.client.post(f"/api/v1/auth/{path}", content=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, code)


async def test_a_body_says_that_it_is_json(process: IdentityProcess) -> None:
    answer = await process.client.post("/api/v1/auth/refresh", content=b'{"refresh_token":"a"}')
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")
