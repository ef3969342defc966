"""What is revoked in one process is refused in every other within a second, whichever of two ways is cut."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from events.roles import Role
from identity.revocation_log import KEPT_S, revocation
from identity.revocations import UNHEARD_S, Kind
from identity.sessions import Opened
from tests.identity_processes import IdentityProcess, Surroundings, identity_process, surroundings
from tests.services import Services
from tests.tokens import bearer, claims_of, form, token_of
from tests.waiting import eventually

WITHIN_S = 1.0
REVOKED = (401, "token_revoked")
UNAVAILABLE = (503, "auth_unavailable")


@pytest.fixture(scope="module")
async def around(services: Services) -> AsyncIterator[Surroundings]:
    async with surroundings(services) as around:
        yield around


@pytest.fixture
async def one(around: Surroundings) -> AsyncIterator[IdentityProcess]:
    async with identity_process(around.settings) as process:
        yield process


@pytest.fixture
async def other(around: Surroundings) -> AsyncIterator[IdentityProcess]:
    async with identity_process(around.settings) as process:
        yield process


async def opened(process: IdentityProcess, around: Surroundings) -> Opened:
    """A new session of a new user."""
    sessions = process.credentials.sessions
    return await sessions.open(await around.user(), "laptop", "", await sessions.now())


def bearer_of(session: Opened) -> str:
    return bearer(session.user_id, sid=session.session_id)


async def refused(process: IdentityProcess, authorization: str, within: float = WITHIN_S) -> float:
    """Wait until a process says that it is revoked; how long that took."""
    began = time.monotonic()

    async def is_refused() -> bool:
        return await process.who(authorization) == REVOKED

    await eventually(is_refused, within)
    return time.monotonic() - began


@asynccontextmanager
async def cut(around: Surroundings, *names: str) -> AsyncIterator[None]:
    """Without Redis, without Postgres, or without both."""
    proxies = [around.redis if name == "redis" else around.postgres for name in names]
    for proxy in proxies:
        await proxy.cut()
    try:
        yield
    finally:
        for proxy in proxies:
            await proxy.mend()


async def test_one_token_a_session_all_of_a_user_and_a_key_are_revoked_everywhere(
    around: Surroundings, one: IdentityProcess, other: IdentityProcess
) -> None:
    session = await opened(one, around)
    key, secret = await one.credentials.keys.create(session.user_id, "ci", Role.VIEWER)
    claims = claims_of(session.user_id, sid=session.session_id)
    token, sibling, api_key = f"Bearer {form().sign(claims)}", bearer_of(session), f"Bearer {secret}"
    for authorization in (token, sibling, api_key):
        for process in (one, other):
            assert await process.who(authorization) == (200, session.user_id)
    await one.credentials.sessions.revoke_token(claims.jti)
    assert await one.who(token) == REVOKED
    await refused(other, token)
    assert await other.who(sibling) == (200, session.user_id)
    await one.credentials.sessions.end_all(session.user_id)
    assert await one.who(sibling) == REVOKED
    await refused(other, sibling)
    assert await other.who(api_key) == (200, session.user_id)
    await one.credentials.keys.delete(session.user_id, key.key_id)
    assert await one.who(api_key) == REVOKED
    await refused(other, api_key)


@pytest.mark.parametrize("away", [(), ("redis",)])
async def test_without_redis_postgres_tells_within_a_second(
    around: Surroundings, one: IdentityProcess, other: IdentityProcess, away: tuple[str, ...]
) -> None:
    session = await opened(one, around)
    assert (await other.who(bearer_of(session)))[0] == 200
    async with cut(around, *away):
        await one.credentials.sessions.end(session.user_id, session.session_id)
        await refused(other, bearer_of(session))


async def test_without_postgres_redis_tells_and_tokens_are_taken(
    around: Surroundings, one: IdentityProcess, other: IdentityProcess
) -> None:
    session = await opened(one, around)
    authorization = bearer_of(session)
    async with cut(around, "postgres"):
        assert await other.who(authorization) == (200, session.user_id)
        # As from a process that can reach Postgres.
        await one.credentials.revocation_log.tell([revocation(Kind.SESSION, session.session_id)])
        await refused(other, authorization)


async def test_nothing_can_be_revoked_without_postgres_and_that_is_said(
    around: Surroundings, one: IdentityProcess
) -> None:
    session = await opened(one, around)
    async with cut(around, "postgres"):
        url, headers = "/api/v1/auth/logout", {"Authorization": bearer_of(session)}
        answer = await one.client.post(url, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
        assert (await one.who(bearer_of(session)))[0] == 200


async def test_a_key_that_was_verified_lately_is_taken_without_postgres_and_a_new_one_cannot_be_judged(
    around: Surroundings, one: IdentityProcess
) -> None:
    user = await around.user()
    _, known = await one.credentials.keys.create(user.user_id, "known", Role.VIEWER)
    _, fresh = await one.credentials.keys.create(user.user_id, "fresh", Role.VIEWER)
    assert await one.who(f"Bearer {known}") == (200, user.user_id)
    async with cut(around, "postgres"):
        assert await one.who(f"Bearer {known}") == (200, user.user_id)
        assert await one.who(f"Bearer {fresh}") == UNAVAILABLE
        assert await one.who("Bearer fl_nobodys") == UNAVAILABLE
    assert await one.who(f"Bearer {fresh}") == (200, user.user_id)
    assert await one.who("Bearer fl_nobodys") == (401, "unauthenticated")


async def test_without_both_nobody_is_judged_after_some_seconds_and_everybody_again_afterwards(
    around: Surroundings, one: IdentityProcess
) -> None:
    authorization = bearer("ada")
    assert await one.who(authorization) == (200, "ada")

    def answers(expected: tuple[int, str]) -> Callable[[], Awaitable[bool]]:
        async def is_so() -> bool:
            return await one.who(authorization) == expected

        return is_so

    async def is_not_ready() -> bool:
        status, parts = await one.health()
        return status == 503 and "Redis" in parts["revocations"] and "Postgres" in parts["revocations"]

    async with cut(around, "redis", "postgres"):
        assert await one.who(authorization) == (200, "ada")
        await eventually(answers(UNAVAILABLE), UNHEARD_S + 5)
        await eventually(is_not_ready, 5)
    await eventually(answers((200, "ada")), 5)

    async def is_ready() -> bool:
        return (await one.health())[0] == 200

    await eventually(is_ready, 5)


async def test_health_names_the_one_that_is_away_although_the_process_is_ready(
    around: Surroundings, one: IdentityProcess
) -> None:
    async def is_remarked() -> bool:
        status, parts = await one.health()
        return status == 200 and "Redis" in parts.get("revocations by one way", "")

    async with cut(around, "redis"):
        await eventually(is_remarked, UNHEARD_S + 5)


@pytest.mark.parametrize("away", ["redis", "postgres"])
async def test_a_process_that_starts_learns_what_was_revoked_before(
    around: Surroundings, one: IdentityProcess, away: str
) -> None:
    session = await opened(one, around)
    await one.credentials.sessions.end(session.user_id, session.session_id)
    async with cut(around, away), identity_process(around.settings) as late:
        assert await late.who(bearer_of(session)) == REVOKED


async def test_a_process_that_starts_without_both_judges_nobody(around: Surroundings) -> None:
    async with cut(around, "redis", "postgres"), identity_process(around.settings) as late:
        assert await late.who(bearer("ada")) == UNAVAILABLE
        assert await late.who("Bearer nonsense") == UNAVAILABLE


async def test_a_revocation_is_seen_although_one_with_a_higher_id_was_seen_before(
    around: Surroundings, one: IdentityProcess
) -> None:
    insert = (
        "INSERT INTO identity.revocations (kind, subject, expires_at)"
        " VALUES ('session', $1, now() + interval '1 hour')"
    )
    slow, quick = claims_of("ada"), claims_of("ada")
    async with around.pg.transaction():
        await around.pg.execute(insert, slow.sid)
        async with one.credentials.engine.begin() as connection:
            await connection.exec_driver_sql(insert, (quick.sid,))
        await refused(one, f"Bearer {form().sign(quick)}")
        assert (await one.who(f"Bearer {form().sign(slow)}"))[0] == 200
    await refused(one, f"Bearer {form().sign(slow)}")


async def test_what_has_expired_is_forgotten_in_the_process_in_redis_and_in_postgres(
    around: Surroundings, one: IdentityProcess
) -> None:
    credentials = one.credentials
    await credentials.sessions.revoke_token("forgotten")
    assert credentials.revocations.is_revoked(("token", "forgotten"))
    credentials.revocations.forget_expired(time.time() + KEPT_S + 1)
    assert not credentials.revocations.is_revoked(("token", "forgotten"))
    assert len(credentials.revocations) == 0
    stream = f"{around.settings.topic_prefix}:revocations"
    assert await credentials.redis.xlen(stream) > 0


async def test_a_stalled_network_is_noticed_like_one_that_is_cut(
    around: Surroundings, one: IdentityProcess
) -> None:
    async def is_unavailable() -> bool:
        return await one.who(bearer("ada")) == UNAVAILABLE

    async def is_available() -> bool:
        return await one.who(bearer("ada")) == (200, "ada")

    around.redis.stall()
    around.postgres.stall()
    try:
        await eventually(is_unavailable, 20)
    finally:
        await around.redis.mend()
        await around.postgres.mend()
    await eventually(is_available, 20)


async def test_many_revocations_at_once_reach_the_other_process(
    around: Surroundings, one: IdentityProcess, other: IdentityProcess
) -> None:
    tokens = [claims_of("ada") for _ in range(200)]
    assert await other.who(f"Bearer {token_of('ada')}") == (200, "ada")
    await asyncio.gather(*(one.credentials.sessions.revoke_token(claims.jti) for claims in tokens))
    took = [await refused(other, f"Bearer {form().sign(claims)}") for claims in tokens]
    assert max(took) < WITHIN_S
