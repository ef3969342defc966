"""A session that renews itself: when, once, and what is lost by it: nothing."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from sync_client.credentials import Account, Credentials
from sync_client.errors import NeedsSignIn, TransportError, TryLater
from sync_client.http_errors import error_of
from sync_client.http_transport import http_client
from sync_client.identity_wire import Moment
from sync_client.session_auth import SessionAuth

SERVER = "http://one.example"
STARTED = 1_700_000_000.0


@dataclass
class Clock:
    """Two clocks that tests move."""

    wall: float = STARTED
    steady: float = 50.0

    def __call__(self) -> Moment:
        return Moment(wall=self.wall, steady=self.steady)

    def pass_by(self, seconds: float) -> None:
        self.wall += seconds
        self.steady += seconds


@dataclass
class Server:
    """Takes the newest access token, and renews for the newest refresh token."""

    good: int = 1
    refused_with: str = "token_expired"
    requests: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    refreshed: list[httpx.Response] = field(default_factory=list)
    """What the next refreshes are answered with instead."""
    before_refresh: Callable[[], None] = lambda: None

    def __call__(self, request: httpx.Request) -> httpx.Response:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        self.requests.append(f"{request.url.path.rsplit('/', 1)[-1]} {token}".strip())
        if request.url.path == "/api/v1/auth/refresh":
            self.before_refresh()
            if self.refreshed:
                return self.refreshed.pop(0)
            assert request.content == b'{"refresh_token":"refresh-%d"}' % self.good
            self.good += 1
            return httpx.Response(200, json=tokens(self.good))
        self.bodies.append(request.content)
        if token != f"access-{self.good}":
            return problem(401, self.refused_with)
        return httpx.Response(200, json={})


def tokens(number: int) -> dict[str, object]:
    return {
        "access_token": f"access-{number}",
        "refresh_token": f"refresh-{number}",
        "token_type": "bearer",
        "expires_in": 900,
        "user_id": "u",
        "username": "ada",
    }


def problem(status: int, code: str, **headers: str) -> httpx.Response:
    return httpx.Response(status, json={"code": code, "detail": f"said {code}"}, headers=headers)


def account(number: int = 1, obtained_at: float = STARTED) -> Account:
    return Account(
        server=SERVER,
        username="ada",
        user_id="u",
        access_token=f"access-{number}",
        refresh_token=f"refresh-{number}",
        obtained_at=obtained_at,
        expires_in=900.0,
    )


@dataclass
class World:
    """Somebody who is signed in, and their server."""

    file: Credentials
    server: Server = field(default_factory=Server)
    clock: Clock = field(default_factory=Clock)

    def session(self) -> SessionAuth:
        return SessionAuth(self.file, self.file.find(SERVER), self.clock)

    async def ask(self, auth: SessionAuth) -> int:
        """The status of a request's answer; raise what it means if it is none of success."""
        async with http_client(auth, httpx.MockTransport(self.server)) as client:
            response = await client.post(f"{SERVER}/commands", content=b"body")
            if not response.is_success:
                raise error_of(response)
            return response.status_code


@pytest.fixture
def world(tmp_path: Path) -> World:
    file = Credentials(tmp_path / "credentials.json")
    file.sign_in(account())
    return World(file)


async def test_a_token_that_is_good_is_sent_as_it_is(world: World) -> None:
    world.clock.pass_by(839)
    await world.ask(world.session())
    assert world.server.requests == ["commands access-1"]


async def test_a_token_is_renewed_a_minute_before_its_end_and_kept(world: World) -> None:
    auth = world.session()
    world.clock.pass_by(841)
    await world.ask(auth)
    await world.ask(auth)
    await world.ask(world.session())
    assert world.server.requests == ["refresh", *["commands access-2"] * 3]
    assert world.file.find(SERVER).refresh_token == "refresh-2"


async def test_a_call_whose_token_has_expired_is_sent_again_as_it_was(world: World) -> None:
    world.file.sign_in(account(number=0))
    world.server.refreshed.append(httpx.Response(200, json=tokens(1)))
    await world.ask(world.session())
    assert world.server.requests == ["commands access-0", "refresh", "commands access-1"]
    assert world.server.bodies == [b"body", b"body"]


async def test_a_clock_that_is_set_back_keeps_no_token_alive(world: World) -> None:
    auth = world.session()
    world.clock.pass_by(841)
    world.clock.wall = STARTED + 5
    await world.ask(auth)
    assert world.server.requests[0] == "refresh"


async def test_a_clock_that_is_set_before_the_token_was_made_is_not_believed(world: World) -> None:
    world.clock.wall = STARTED - 3600
    await world.ask(world.session())
    await world.ask(world.session())
    assert world.server.requests == ["refresh", "commands access-2", "commands access-2"]


async def test_a_token_that_expires_at_once_is_not_renewed_for_ever(world: World) -> None:
    world.server.good = 99
    world.server.refreshed += [httpx.Response(200, json=tokens(number)) for number in (2, 3)]
    with pytest.raises(NeedsSignIn):
        await world.ask(world.session())
    assert world.server.requests == ["commands access-1", "refresh", "commands access-2"]


async def test_what_was_revoked_asks_for_a_sign_in_and_is_not_renewed(world: World) -> None:
    world.server.good, world.server.refused_with = 2, "token_revoked"
    with pytest.raises(NeedsSignIn, match=r"patternlog login .* --username ada") as over:
        await world.ask(world.session())
    assert (over.value.code, world.server.requests) == ("token_revoked", ["commands access-1"])


async def test_a_session_that_is_over_is_forgotten_and_asks_for_a_sign_in(world: World) -> None:
    world.clock.pass_by(1000)
    world.server.refreshed.append(problem(401, "token_revoked"))
    with pytest.raises(NeedsSignIn, match="patternlog login"):
        await world.ask(world.session())
    assert list(world.file.accounts()) == []


@pytest.mark.parametrize(
    "answer",
    [
        problem(503, "auth_unavailable"),
        problem(429, "rate_limited", **{"Retry-After": "7"}),
        httpx.Response(502, content=b"<html>"),
    ],
)
async def test_a_server_that_cannot_tell_is_tried_later_and_ends_no_session(
    world: World, answer: httpx.Response
) -> None:
    world.clock.pass_by(1000)
    world.server.refreshed.append(answer)
    with pytest.raises(TryLater) as later:
        await world.ask(world.session())
    assert later.value.retry_after == (7.0 if answer.status_code == 429 else None)
    await world.ask(world.session())
    assert world.file.find(SERVER).refresh_token == "refresh-2"


async def test_a_token_that_is_still_good_is_used_while_it_cannot_be_renewed(world: World) -> None:
    world.clock.pass_by(850)
    world.server.refreshed.append(problem(503, "database_unavailable"))
    assert await world.ask(world.session()) == 200
    assert world.server.requests == ["refresh", "commands access-1"]


@pytest.mark.parametrize("status", [401, 200])
async def test_an_answer_that_is_none_of_patternlogs_ends_no_session(world: World, status: int) -> None:
    world.clock.pass_by(1000)
    world.server.refreshed.append(httpx.Response(status, content=b"<html>"))
    with pytest.raises(TransportError):
        await world.ask(world.session())
    assert list(world.file.accounts()) == [account()]


async def test_many_calls_at_once_renew_once(world: World) -> None:
    world.clock.pass_by(1000)
    await asyncio.gather(*(world.ask(world.session()) for _ in range(8)))
    assert world.server.requests.count("refresh") == 1


async def test_who_comes_second_takes_the_tokens_that_the_first_one_got(world: World) -> None:
    auth = world.session()
    world.server.good = 2
    world.file.sign_in(account(number=2))
    await world.ask(auth)
    assert world.server.requests == ["commands access-1", "commands access-2"]


async def test_who_signed_out_meanwhile_is_not_signed_in_again(world: World) -> None:
    auth = world.session()
    world.server.before_refresh = lambda: world.file.sign_out(account())
    world.clock.pass_by(1000)
    await world.ask(auth)
    assert list(world.file.accounts()) == []
    world.clock.pass_by(1000)
    with pytest.raises(NeedsSignIn, match="not signed in"):
        await world.ask(auth)


async def test_a_lock_that_is_not_given_back_is_not_waited_for_for_ever(world: World) -> None:
    world.clock.pass_by(1000)

    def later() -> Moment:
        world.clock.pass_by(31)
        return Moment(wall=world.clock.wall, steady=world.clock.steady)

    auth = SessionAuth(world.file, world.file.find(SERVER), later)
    with world.file.turn_of(account()), pytest.raises(TryLater, match="another process"):
        await world.ask(auth)
