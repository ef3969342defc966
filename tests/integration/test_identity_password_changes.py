"""A new password ends what was open under the old one, whatever happens meanwhile."""

import asyncio
from collections.abc import AsyncIterator, Awaitable

import pytest

from identity.accounts import Account
from identity.confirming import Asker
from identity.passwords import PasswordPool
from identity.session_endings import carry_out_left
from runtime.problems import Problem
from tests.accounts import (
    ELSEWHERE,
    HOME,
    OTHER_PASSWORD,
    PASSWORD,
    Desk,
    cheap_pool,
    open_desk,
)
from tests.services import Services


@pytest.fixture(scope="module")
async def pool() -> AsyncIterator[PasswordPool]:
    pool = cheap_pool()
    yield pool
    await pool.close()


@pytest.fixture
async def desk(services: Services, pool: PasswordPool) -> AsyncIterator[Desk]:
    async with open_desk(services, pool) as desk:
        yield desk


async def code_of(work: Awaitable[object]) -> str | None:
    try:
        await work
    except Problem as problem:
        return problem.code
    return None


def asker(account: Account, session_id: str | None = "s1") -> Asker:
    return Asker(user_id=account.user_id, session_id=session_id, address=HOME)


async def test_a_changed_password_is_the_only_one_and_leaves_the_present_session_alone(desk: Desk) -> None:
    account = await desk.register()
    await desk.changes.change(asker(account), PASSWORD, OTHER_PASSWORD)
    assert desk.endings.asked == [(account.user_id, "s1")]
    assert await code_of(desk.accounts.authenticate("ada", PASSWORD, HOME)) == "invalid_credentials"
    assert await code_of(desk.accounts.authenticate("ada", OTHER_PASSWORD, HOME)) is None
    await desk.deliver()
    assert desk.letterbox.mails[-1].subject == "Your password was changed"


async def test_neither_an_unfit_password_nor_a_wrong_one_changes_anything(desk: Desk) -> None:
    account = await desk.register()
    assert await code_of(desk.changes.change(asker(account), PASSWORD, "short")) == "unfit_password"
    wrong = desk.changes.change(asker(account), OTHER_PASSWORD, OTHER_PASSWORD)
    assert await code_of(wrong) == "wrong_password"
    assert await code_of(desk.accounts.authenticate("ada", PASSWORD, HOME)) is None
    assert desk.endings.asked == []


async def test_of_two_who_change_it_at_once_one_does(desk: Desk) -> None:
    account = await desk.register()
    new = [OTHER_PASSWORD, "a copper kettle boils"]
    ended = await asyncio.gather(
        *(code_of(desk.changes.change(asker(account, str(n)), PASSWORD, new[n])) for n in range(2))
    )
    assert sorted(map(str, ended)) == ["None", "wrong_password"]
    assert await code_of(desk.accounts.authenticate("ada", new[ended.index(None)], HOME)) is None


async def test_a_login_beside_a_change_shows_that_the_password_was_the_old_one(desk: Desk) -> None:
    account = await desk.register()
    for number in range(10):
        old, new = (PASSWORD, OTHER_PASSWORD)[:: 1 if number % 2 == 0 else -1]
        logging_in = asyncio.ensure_future(desk.accounts.authenticate("ada", old, HOME))
        await desk.changes.change(asker(account), old, new)
        (ended,) = await asyncio.gather(logging_in, return_exceptions=True)
        now = await desk.accounts.of(account.user_id)
        assert now is not None
        if isinstance(ended, Account):
            # A session that is written under this time finds that it is another by now.
            assert ended.password_changed_at < now.password_changed_at
        else:
            assert isinstance(ended, Problem)
            assert ended.code == "invalid_credentials"


async def test_a_reset_token_used_twice_at_once_sets_one_password(desk: Desk) -> None:
    account = await desk.verified()
    token = await desk.reset_token()
    new = [OTHER_PASSWORD, "a copper kettle boils", "a silver spoon bends"]
    ended = await asyncio.gather(*(code_of(desk.changes.reset(token, one, ELSEWHERE)) for one in new))
    assert sorted(map(str, ended)) == ["None", "bad_one_time_token", "bad_one_time_token"]
    assert await code_of(desk.accounts.authenticate("ada", new[ended.index(None)], HOME)) is None
    # API keys go with the sessions: whoever had the password may have made some.
    assert desk.endings.asked == [(account.user_id, None)]


async def test_a_reset_makes_all_older_tokens_worthless_and_verifies_the_address(desk: Desk) -> None:
    account = await desk.register()
    tokens = [await desk.reset_token(), await desk.reset_token()]
    assert await code_of(desk.changes.reset(tokens[0], "ada", HOME)) == "unfit_password"
    await desk.changes.reset(tokens[0], OTHER_PASSWORD, HOME)
    assert await code_of(desk.changes.reset(tokens[1], PASSWORD, HOME)) == "bad_one_time_token"
    found = await desk.accounts.of(account.user_id)
    assert found is not None
    assert found.email_verified


async def test_a_change_makes_reset_tokens_worthless(desk: Desk) -> None:
    account = await desk.register()
    token = await desk.reset_token()
    await desk.changes.change(asker(account), PASSWORD, OTHER_PASSWORD)
    assert await code_of(desk.changes.reset(token, PASSWORD, HOME)) == "bad_one_time_token"


async def test_a_reset_goes_to_the_address_as_its_owner_wrote_it(desk: Desk) -> None:
    await desk.verified("ada", "Ada@example.org")
    await desk.changes.forgotten("aDA@EXAMPLE.ORG")
    await desk.changes.forgotten("аda@example.org")
    await desk.deliver()
    resets = [mail for mail in desk.letterbox.mails if "new password" in mail.subject]
    assert [mail.to for mail in resets] == ["Ada@example.org"]


async def test_a_reset_is_for_whoever_has_verified_the_address(desk: Desk) -> None:
    await desk.verified("ada")
    await desk.register("eve")
    token = await desk.reset_token()
    await desk.changes.reset(token, OTHER_PASSWORD, HOME)
    assert await code_of(desk.accounts.authenticate("ada", OTHER_PASSWORD, HOME)) is None
    assert await code_of(desk.accounts.authenticate("eve", PASSWORD, HOME)) is None


async def test_asking_for_a_reset_is_the_same_work_whether_or_not_anybody_has_the_address(desk: Desk) -> None:
    await desk.verified()
    before = len(await desk.rows("SELECT 1 FROM identity.mails"))
    for asked, address in enumerate(("ada@example.org", "nobody@example.org"), 1):
        await desk.changes.forgotten(address)
        assert len(await desk.rows("SELECT 1 FROM identity.mails")) == before + asked
    await desk.changes.forgotten("no address")
    sent = len(desk.letterbox.mails)
    await desk.deliver()
    assert len(desk.letterbox.mails) == sent + 1


async def test_sessions_that_a_crash_left_are_ended_afterwards(desk: Desk) -> None:
    account = await desk.register()
    desk.endings.broken = True
    await desk.changes.change(asker(account), PASSWORD, OTHER_PASSWORD)
    assert desk.endings.asked == []
    await carry_out_left(desk.engine, desk.endings, older_than_s=0)
    desk.endings.broken = False
    # Whoever is about to do it is given time.
    await carry_out_left(desk.engine, desk.endings)
    assert desk.endings.asked == []
    for _ in range(2):
        await carry_out_left(desk.engine, desk.endings, older_than_s=0)
    assert desk.endings.asked == [(account.user_id, "s1")]
