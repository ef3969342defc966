"""Accounts on a real Postgres: made once, opened by their password alone, ended for good."""

import asyncio
from collections.abc import AsyncIterator, Awaitable

import pytest
from pydantic import SecretStr

from identity.accounts import Account, Accounts
from identity.confirming import Asker
from identity.passwords import PasswordPool
from runtime.postgres import create_engine
from runtime.problems import Problem
from tests.accounts import (
    CHEAPEST,
    ELSEWHERE,
    HOME,
    OTHER_PASSWORD,
    PASSWORD,
    Desk,
    Endings,
    cheap_pool,
    open_desk,
    token_in,
)
from tests.services import Services
from tests.web import development

NOBODY = "6f1c8a52-7a0e-4c63-9d0f-3a9a52f1c0de"


@pytest.fixture(scope="module")
async def pool() -> AsyncIterator[PasswordPool]:
    pool = cheap_pool()
    yield pool
    await pool.close()


@pytest.fixture
async def desk(services: Services, pool: PasswordPool) -> AsyncIterator[Desk]:
    async with open_desk(services, pool) as desk:
        yield desk


async def refusal_of(work: Awaitable[object]) -> str:
    with pytest.raises(Problem) as raised:
        await work
    return raised.value.code


async def codes_of(*work: Awaitable[object]) -> list[str | None]:
    """What each of several at once ended in; None if it worked."""
    ended = await asyncio.gather(*work, return_exceptions=True)
    assert all(isinstance(end, Problem) or not isinstance(end, BaseException) for end in ended), ended
    return [end.code if isinstance(end, Problem) else None for end in ended]


def asker(account: Account, session_id: str | None = "s1") -> Asker:
    return Asker(user_id=account.user_id, session_id=session_id, address=HOME)


async def test_an_account_is_let_in_by_its_name_in_any_case_and_by_its_verified_address(desk: Desk) -> None:
    made = await desk.verified("Ada", "Ada@Example.org")
    for login in ("ada", " ADA ", "ada@example.org", "Ada@EXAMPLE.org"):
        assert (await desk.accounts.authenticate(login, PASSWORD, HOME)).user_id == made.user_id
    account = await desk.accounts.authenticate("Ada", PASSWORD, HOME)
    assert account.username == "Ada"
    assert account.email_verified
    assert await desk.accounts.of(made.user_id) == account


@pytest.mark.parametrize("password", ["", PASSWORD + " ", PASSWORD.upper(), PASSWORD + "\x00", "x" * 9_000])
async def test_no_other_password_lets_in(desk: Desk, password: str) -> None:
    await desk.register()
    refused = desk.accounts.authenticate("ada", password, HOME)
    assert await refusal_of(refused) == "invalid_credentials"


@pytest.mark.parametrize("login", ["nobody", "", "\ud800", "a\x00da", "х" * 9_000, "ada@example.org"])
async def test_who_is_nobody_is_told_the_same_as_who_is_wrong(desk: Desk, login: str) -> None:
    await desk.register()
    # The address is not verified, so it is not yet a login.
    assert await refusal_of(desk.accounts.authenticate(login, PASSWORD, HOME)) == "invalid_credentials"


async def test_of_several_who_register_one_name_at_once_one_gets_it(desk: Desk) -> None:
    names = ["ada", "ADA", "Ada", "aDa"]
    ended = await codes_of(*(desk.register(name, f"{name}@example.org") for name in names))
    assert sorted(map(str, ended)) == ["None", *["username_taken"] * 3]


async def test_registering_with_a_taken_address_looks_as_if_nobody_had_it(desk: Desk) -> None:
    first = await desk.verified("ada")
    second = await desk.register("eve", "ADA@example.org")
    assert second.user_id != first.user_id
    # Whoever tried can go on as if they had the address, but for the mail.
    assert (await desk.accounts.authenticate("eve", PASSWORD, HOME)).user_id == second.user_id
    await desk.deliver()
    told = desk.letterbox.mails[-1]
    assert told.to == "ada@example.org"
    assert "eve" in told.text
    assert "token" not in told.text
    # The address still is the first one's.
    assert (await desk.accounts.authenticate("ada@example.org", PASSWORD, HOME)).user_id == first.user_id


async def test_of_two_who_verify_one_address_the_first_has_it(desk: Desk) -> None:
    await desk.register("ada")
    await desk.register("eve")
    await desk.deliver()
    tokens = [token_in(mail) for mail in desk.letterbox.mails]
    ended = await codes_of(*(desk.accounts.verify_email(token) for token in tokens))
    assert sorted(map(str, ended)) == ["None", "email_taken"]
    assert await refusal_of(desk.accounts.verify_email(tokens[0])) in {"bad_one_time_token", "email_taken"}


async def test_a_token_verifies_once_and_no_other_does(desk: Desk) -> None:
    await desk.register()
    await desk.deliver()
    token = token_in(desk.letterbox.mails[0])
    for bad in ("", "x" * 43, token + "x", token[:-1], "\ud800" * 43, "é" * 43):
        assert await refusal_of(desk.accounts.verify_email(bad)) == "bad_one_time_token"
    await desk.accounts.verify_email(token)
    assert await refusal_of(desk.accounts.verify_email(token)) == "bad_one_time_token"


async def test_a_token_is_good_for_its_purpose_and_its_time_alone(desk: Desk) -> None:
    await desk.register()
    await desk.deliver()
    verify, reset = token_in(desk.letterbox.mails[0]), await desk.reset_token()
    assert await refusal_of(desk.accounts.verify_email(reset)) == "bad_one_time_token"
    assert await refusal_of(desk.changes.reset(verify, OTHER_PASSWORD, HOME)) == "bad_one_time_token"
    await desk.rows("UPDATE identity.one_time_tokens SET expires_at = now()")
    assert await refusal_of(desk.changes.reset(reset, OTHER_PASSWORD, HOME)) == "bad_one_time_token"


async def test_the_database_holds_no_token_and_no_password(desk: Desk) -> None:
    await desk.register()
    token = await desk.reset_token()
    for table in ("users", "mails", "one_time_tokens", "attempts"):
        stored = str([dict(row) for row in await desk.rows(f"SELECT * FROM identity.{table}")])
        assert PASSWORD not in stored
        assert token not in stored


async def test_a_login_with_a_cheaper_hash_renews_it(desk: Desk) -> None:
    await desk.register()
    costlier = cheap_pool(cost=CHEAPEST + 1)
    try:
        desk.accounts._passwords = costlier
        together = [desk.accounts.authenticate("ada", PASSWORD, HOME) for _ in range(5)]
        assert await codes_of(*together) == [None] * 5
    finally:
        await costlier.close()
    row = (await desk.rows("SELECT password_hash FROM identity.users"))[0]
    assert f"r={CHEAPEST + 1}$" in row["password_hash"]
    desk.accounts._passwords = desk.passwords
    await desk.accounts.authenticate("ada", PASSWORD, HOME)
    assert (await desk.rows("SELECT password_hash FROM identity.users"))[0] == row


async def test_a_deactivated_user_is_gone_and_the_name_stays_taken(desk: Desk) -> None:
    account = await desk.verified()
    token = await desk.reset_token()
    assert await refusal_of(desk.accounts.deactivate(asker(account), OTHER_PASSWORD)) == "wrong_password"
    await desk.accounts.deactivate(asker(account), PASSWORD)
    assert desk.endings.asked == [(account.user_id, None)]
    assert await desk.accounts.of(account.user_id) is None
    for login in ("ada", "ada@example.org"):
        assert await refusal_of(desk.accounts.authenticate(login, PASSWORD, HOME)) == "invalid_credentials"
    assert await refusal_of(desk.changes.reset(token, OTHER_PASSWORD, HOME)) == "bad_one_time_token"
    assert await refusal_of(desk.register("ADA", "new@example.org")) == "username_taken"
    assert await refusal_of(desk.accounts.deactivate(asker(account), PASSWORD)) == "unknown_account"
    rows = await desk.rows("SELECT email, email_key, password_hash FROM identity.users")
    assert [tuple(row) for row in rows] == [(None, None, None)]
    # The address is free again.
    await desk.verified("grace")


async def test_whoever_is_no_user_has_no_account(desk: Desk) -> None:
    for user_id in ("ada", NOBODY, "system:operator"):
        assert await desk.accounts.of(user_id) is None
        nobody = Asker(user_id=user_id, session_id=None, address=ELSEWHERE)
        assert await refusal_of(desk.accounts.deactivate(nobody, PASSWORD)) == "unknown_account"
        assert await refusal_of(desk.accounts.resend_verification(user_id)) == "unknown_account"


async def test_while_postgres_is_away_nobody_is_told_that_they_are_wrong(pool: PasswordPool) -> None:
    engine = create_engine(development(postgres_dsn=SecretStr("postgresql://a@127.0.0.1:1/a")), "test")
    accounts = Accounts(engine, pool, Endings())
    for work in (
        accounts.authenticate("ada", PASSWORD, HOME),
        accounts.register("ada", "ada@example.org", PASSWORD, HOME),
        accounts.of(NOBODY),
        accounts.verify_email("x" * 43),
    ):
        assert await refusal_of(work) == "database_unavailable"
    await engine.dispose()
