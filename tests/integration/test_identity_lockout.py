"""Guessing gets slower and slower for whoever guesses, and for nobody else."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from identity.account_problems import busy
from identity.confirming import Asker
from identity.hashing import Verified
from identity.passwords import PasswordPool
from identity.throttle import (
    FREE_ALL_UNKNOWN,
    FREE_KNOWN,
    FREE_UNKNOWN,
    LONGEST_WAIT_S,
    MOST_KNOWN,
    source_of_address,
    subject_of,
)
from runtime.problems import Problem
from tests.accounts import CHEAPEST, ELSEWHERE, HOME, OTHER_PASSWORD, PASSWORD, Desk, cheap_pool, open_desk
from tests.services import Services

WRONG = "a wrong guess or so"


@pytest.fixture(scope="module")
async def pool() -> AsyncIterator[PasswordPool]:
    pool = cheap_pool(most=500)
    yield pool
    await pool.close()


@pytest.fixture
async def desk(services: Services, pool: PasswordPool) -> AsyncIterator[Desk]:
    async with open_desk(services, pool) as desk:
        await desk.register()
        yield desk


async def tried(
    desk: Desk, password: str, address: str, *, login: str = "ada", device: str | None = None
) -> Problem | None:
    try:
        await desk.accounts.authenticate(login, password, address, device)
    except Problem as problem:
        return problem
    return None


async def guess_until_held_up(desk: Desk, address: str, login: str = "ada") -> int:
    for guesses in range(200):
        problem = await tried(desk, WRONG, address, login=login)
        assert problem is not None
        if problem.code == "too_many_attempts":
            return guesses
    raise AssertionError("nothing held the guesser up")


async def time_passes(desk: Desk) -> None:
    await desk.rows("UPDATE identity.attempts SET next_at = clock_timestamp()")


async def wait_of(desk: Desk, address: str) -> float:
    rows = await desk.rows(
        "SELECT extract(epoch FROM next_at - last_at)::float8 FROM identity.attempts"
        " WHERE subject = $1 AND source = $2",
        subject_of("ada"),
        source_of_address(address),
    )
    return float(rows[0][0])


@pytest.mark.parametrize("login", ["ada", "nobody"])
async def test_a_guesser_is_held_up_whether_or_not_there_is_such_a_user(desk: Desk, login: str) -> None:
    assert await guess_until_held_up(desk, ELSEWHERE, login) == FREE_UNKNOWN
    problem = await tried(desk, PASSWORD, ELSEWHERE, login=login)
    assert problem is not None
    assert (problem.code, problem.status) == ("too_many_attempts", 429)
    assert problem.headers is not None
    assert int(problem.headers["Retry-After"]) >= 1


async def test_the_owner_is_let_in_where_they_were_before_whatever_is_guessed_elsewhere(desk: Desk) -> None:
    device = await desk.accounts.know_device(
        (await desk.accounts.authenticate("ada", PASSWORD, HOME)).user_id
    )
    for number in range(FREE_ALL_UNKNOWN // FREE_UNKNOWN + 1):
        for _ in range(FREE_UNKNOWN):
            assert await tried(desk, WRONG, f"203.0.113.{number}") is not None
    # All who were never seen before are held up together by now: many addresses are no more than one.
    held_up = await tried(desk, PASSWORD, "203.0.113.250")
    assert held_up is not None
    assert held_up.code == "too_many_attempts"
    assert await tried(desk, PASSWORD, HOME) is None
    assert await tried(desk, PASSWORD, "203.0.113.251", device=device) is None
    # It stays where it was used, and somebody else's is worth nothing.
    assert await tried(desk, PASSWORD, "203.0.113.251") is None
    assert await tried(desk, PASSWORD, "203.0.113.252", device="x" * 43) is not None


async def test_a_device_is_let_in_at_an_address_from_which_others_guess(desk: Desk) -> None:
    user = await desk.accounts.authenticate("ada", PASSWORD, HOME)
    device = await desk.accounts.know_device(user.user_id)
    assert await guess_until_held_up(desk, HOME) == FREE_KNOWN
    assert await tried(desk, PASSWORD, HOME) is not None
    assert await tried(desk, PASSWORD, HOME, device=device) is None


async def test_a_device_that_one_user_has_is_known_to_another_once_they_log_in_on_it(desk: Desk) -> None:
    eve = await desk.register("eve", "eve@example.org")
    device = await desk.accounts.know_device(eve.user_id)
    assert await tried(desk, PASSWORD, ELSEWHERE, device=device) is None
    assert await guess_until_held_up(desk, "203.0.113.9") == FREE_UNKNOWN
    assert await tried(desk, PASSWORD, "203.0.113.9", device=device) is None
    # What is no such secret is not remembered.
    assert await tried(desk, PASSWORD, HOME, device="x") is None
    assert await tried(desk, PASSWORD, "203.0.113.9", device="x") is not None


async def test_one_users_device_is_no_excuse_for_guessing_at_another(desk: Desk) -> None:
    eve = await desk.register("eve", "eve@example.org")
    device = await desk.accounts.know_device(eve.user_id)
    for _ in range(FREE_UNKNOWN):
        assert await tried(desk, WRONG, ELSEWHERE, device=device) is not None
    problem = await tried(desk, WRONG, ELSEWHERE, device=device)
    assert problem is not None
    assert problem.code == "too_many_attempts"


async def test_many_guesses_at_once_are_as_many(desk: Desk) -> None:
    ended = await asyncio.gather(*(tried(desk, WRONG, ELSEWHERE) for _ in range(40)))
    codes = [problem.code for problem in ended if problem is not None]
    assert codes.count("invalid_credentials") == FREE_UNKNOWN
    assert codes.count("too_many_attempts") == 40 - FREE_UNKNOWN


async def test_many_logins_at_once_with_the_right_password_are_all_let_in(desk: Desk) -> None:
    ended = await asyncio.gather(*(tried(desk, PASSWORD, HOME) for _ in range(FREE_KNOWN)))
    assert ended == [None] * FREE_KNOWN


async def test_each_further_guess_costs_twice_the_time_up_to_a_limit(desk: Desk) -> None:
    await guess_until_held_up(desk, ELSEWHERE)
    waits = [await wait_of(desk, ELSEWHERE)]
    for _ in range(12):
        await time_passes(desk)
        assert await tried(desk, WRONG, ELSEWHERE) is not None
        waits.append(await wait_of(desk, ELSEWHERE))
        # To come too early makes it no longer.
        assert await tried(desk, WRONG, ELSEWHERE) is not None
        assert await wait_of(desk, ELSEWHERE) == waits[-1]
    rounded = [round(wait) for wait in waits]
    assert rounded == [min(2**n, LONGEST_WAIT_S) for n in range(13)]


async def test_the_right_password_makes_up_for_the_wrong_ones(desk: Desk) -> None:
    for _ in range(3):
        for _ in range(FREE_UNKNOWN - 1):
            assert await tried(desk, WRONG, ELSEWHERE) is not None
        assert await tried(desk, PASSWORD, ELSEWHERE) is None


async def test_whoever_resets_the_password_by_mail_is_let_in_amid_an_attack(desk: Desk) -> None:
    token = await desk.reset_token()
    assert await guess_until_held_up(desk, ELSEWHERE) == FREE_UNKNOWN
    await desk.changes.reset(token, OTHER_PASSWORD, ELSEWHERE)
    assert await tried(desk, OTHER_PASSWORD, ELSEWHERE) is None


async def test_addresses_of_one_customers_network_are_one(desk: Desk) -> None:
    for number in range(FREE_UNKNOWN):
        assert await tried(desk, WRONG, f"2001:db8::{number:x}") is not None
    held_up = await tried(desk, WRONG, "2001:db8::ffff:1")
    assert held_up is not None
    assert held_up.code == "too_many_attempts"
    assert source_of_address("::ffff:192.0.2.1") == source_of_address("192.0.2.1")


async def test_a_stolen_session_cannot_guess_the_password_nor_keep_its_owner_from_changing_it(
    desk: Desk,
) -> None:
    user = await desk.accounts.authenticate("ada", PASSWORD, HOME)
    thief = Asker(user_id=user.user_id, session_id="stolen", address=ELSEWHERE)
    codes = []
    for _ in range(FREE_UNKNOWN + 1):
        with pytest.raises(Problem) as raised:
            await desk.changes.change(thief, WRONG, OTHER_PASSWORD)
        codes.append(raised.value.code)
    assert codes == ["wrong_password"] * FREE_UNKNOWN + ["too_many_attempts"]
    owner = Asker(user_id=user.user_id, session_id="own", address=HOME)
    await desk.changes.change(owner, PASSWORD, OTHER_PASSWORD)
    assert desk.endings.asked == [(user.user_id, "own")]


async def test_what_was_tried_and_seen_long_ago_is_forgotten(desk: Desk) -> None:
    await guess_until_held_up(desk, ELSEWHERE)
    await desk.rows("UPDATE identity.attempts SET last_at = last_at - interval '25 hours'")
    await desk.rows("UPDATE identity.known_sources SET seen_at = seen_at - interval '181 days'")
    await desk.chores().forget()
    for table in ("attempts", "known_sources"):
        assert await desk.rows(f"SELECT * FROM identity.{table}") == []


class FullPool(PasswordPool):
    """Has room when it is asked for, and none when it is used: others were faster."""

    async def verify(self, password: str, stored: str | None) -> Verified:
        raise busy(1)


async def test_a_password_that_was_not_looked_at_is_not_counted(desk: Desk) -> None:
    desk.accounts._passwords = FullPool(cost=CHEAPEST, processes=1, most=1)
    for _ in range(3):
        ended = await asyncio.gather(*(tried(desk, WRONG, ELSEWHERE) for _ in range(10)))
        assert {problem.code for problem in ended if problem is not None} <= {"busy", "too_many_attempts"}
        rows = await desk.rows(
            "SELECT failures FROM identity.attempts WHERE source = $1", source_of_address(ELSEWHERE)
        )
        assert [row["failures"] for row in rows] == [0]


async def test_a_user_has_a_limited_number_of_known_devices_and_the_last_ones_stay(desk: Desk) -> None:
    user = await desk.accounts.authenticate("ada", PASSWORD, HOME)
    devices = [await desk.accounts.know_device(user.user_id) for _ in range(MOST_KNOWN + 5)]
    assert len(await desk.rows("SELECT 1 FROM identity.known_sources")) == MOST_KNOWN
    assert await guess_until_held_up(desk, ELSEWHERE) == FREE_UNKNOWN
    assert await tried(desk, PASSWORD, ELSEWHERE, device=devices[0]) is not None
    assert await tried(desk, PASSWORD, ELSEWHERE, device=devices[-1]) is None
