"""Mails are sent at least once, whatever breaks, and nobody's letterbox is flooded."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from identity.mail.files import FileSender
from identity.mail.port import Mail, MailDelayed, MailRefused
from identity.mail.postman import GIVEN_UP_AFTER_S, Postman
from identity.mail.senders import create_mail_sender
from identity.mail.writing import MOST_PER_HOUR
from identity.passwords import PasswordPool
from runtime.identity_settings import MailSecurity
from tests.accounts import HOME, PASSWORD, Desk, cheap_pool, open_desk, token_in
from tests.services import Services
from tests.smtp import Kept, mail_server


class Killed(BaseException):
    """Stands for the end of the process."""


@pytest.fixture(scope="module")
async def pool() -> AsyncIterator[PasswordPool]:
    pool = cheap_pool()
    yield pool
    await pool.close()


@pytest.fixture
async def desk(services: Services, pool: PasswordPool) -> AsyncIterator[Desk]:
    async with open_desk(services, pool) as desk:
        yield desk


async def time_passes(desk: Desk) -> None:
    await desk.rows("UPDATE identity.mails SET next_at = now()")


async def results(desk: Desk) -> list[str | None]:
    rows = await desk.rows("SELECT result FROM identity.mails WHERE done_at IS NOT NULL ORDER BY mail_id")
    return [row["result"] for row in rows]


class DiesAfterwards:
    """Hands the mail over, and is killed before it can say so."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def send(self, mail: Mail) -> None:
        await self._desk.letterbox.send(mail)
        raise Killed


class DiesBefore:
    async def send(self, mail: Mail) -> None:
        raise Killed


@pytest.mark.parametrize("dies_after", [False, True])
async def test_a_postman_that_dies_loses_no_mail(desk: Desk, *, dies_after: bool) -> None:
    await desk.register()
    with pytest.raises(Killed):
        await desk.postman(DiesAfterwards(desk) if dies_after else DiesBefore()).deliver_one()
    # As long as it may be alive nobody else sends the mail.
    assert not await desk.postman().deliver_one()
    await time_passes(desk)
    assert await desk.postman().deliver_one()
    assert len(desk.letterbox.mails) == 1 + dies_after
    # Each mail that arrives has a token that is good.
    await desk.accounts.verify_email(token_in(desk.letterbox.mails[0]))
    assert await results(desk) == ["sent"]


async def test_several_postmen_send_each_mail_once(desk: Desk) -> None:
    for number in range(8):
        await desk.register(f"ada{number}", f"ada{number}@example.org")
    await asyncio.gather(*(desk.deliver() for _ in range(4)))
    assert sorted(mail.to for mail in desk.letterbox.mails) == [f"ada{n}@example.org" for n in range(8)]


async def test_a_mail_that_is_delayed_waits_longer_each_time_and_is_given_up_after_days(desk: Desk) -> None:
    account = await desk.register()
    desk.letterbox.errors = [MailDelayed("away") for _ in range(4)]
    waits = []
    for _ in range(3):
        assert await desk.postman().deliver_one()
        rows = await desk.rows(
            "SELECT extract(epoch FROM next_at - now())::float8 AS wait, result FROM identity.mails"
        )
        waits.append(round(rows[0]["wait"]))
        assert rows[0]["result"] == "away"
        assert not await desk.postman().deliver_one()
        await time_passes(desk)
    assert waits == [5, 10, 20]
    # The account is there all the same.
    assert (await desk.accounts.authenticate("ada", PASSWORD, HOME)).user_id == account.user_id
    await desk.rows(
        f"UPDATE identity.mails SET created_at = now() - interval '{GIVEN_UP_AFTER_S + 1} seconds'"
    )
    await desk.deliver()
    assert await results(desk) == ["given up: away"]


async def test_a_mail_that_is_refused_is_not_sent_again_and_holds_up_no_other(desk: Desk) -> None:
    await desk.register("ada", "ada@example.org")
    await desk.register("eve", "eve@example.org")
    desk.letterbox.errors = [MailRefused("the server answered 550")]
    await desk.deliver()
    assert [mail.to for mail in desk.letterbox.mails] == ["eve@example.org"]
    assert await results(desk) == ["refused: the server answered 550", "sent"]


async def test_nobody_gets_more_than_a_few_mails_an_hour_whoever_asks(desk: Desk) -> None:
    await desk.verified()
    for number in range(5):
        await desk.register(f"eve{number}", "ADA@example.org")
        await desk.changes.forgotten("ada@example.org")
    await desk.deliver()
    assert len(desk.letterbox.mails) == MOST_PER_HOUR
    assert (await results(desk)).count("not_sent") == 11 - MOST_PER_HOUR


async def test_a_kind_of_mail_that_a_newer_version_knows_is_left_to_it(desk: Desk) -> None:
    await desk.rows(
        "INSERT INTO identity.mails (kind, address, address_key)"
        " VALUES ('newer', 'a@b.example', 'a@b.example')"
    )
    await desk.register()
    await desk.deliver()
    assert await results(desk) == ["sent"]


async def test_a_verified_address_needs_no_further_mail(desk: Desk) -> None:
    account = await desk.register()
    await desk.accounts.resend_verification(account.user_id)
    await desk.deliver()
    assert len(desk.letterbox.mails) == 2
    await desk.accounts.verify_email(token_in(desk.letterbox.mails[0]))
    await desk.accounts.resend_verification(account.user_id)
    await desk.deliver()
    assert len(desk.letterbox.mails) == 2


async def test_what_was_sent_is_forgotten_after_a_day(desk: Desk) -> None:
    await desk.register()
    await desk.chores().turn()
    assert await results(desk) == ["sent"]
    await desk.rows("UPDATE identity.mails SET done_at = done_at - interval '25 hours'")
    await desk.rows("UPDATE identity.one_time_tokens SET expires_at = now() - interval '25 hours'")
    await desk.chores().forget()
    assert await results(desk) == []
    assert await desk.rows("SELECT 1 FROM identity.one_time_tokens") == []


async def test_a_mail_goes_from_a_registration_to_a_mail_server(desk: Desk) -> None:
    kept = Kept()
    with mail_server(kept) as port:
        settings = desk.settings.model_copy(
            update={"mail_host": "127.0.0.1", "mail_port": port, "mail_security": MailSecurity.NONE}
        )
        sender = create_mail_sender(settings)
        assert sender is not None
        await desk.register("ada", "ädä@bücher.example")
        await desk.register("eve", "eve@example.org")
        postman = desk.postman(sender)
        while await postman.deliver_one():
            pass
    assert [envelope.rcpt_tos for envelope in kept.envelopes] == [["ädä@bücher.example"], ["eve@example.org"]]
    assert await results(desk) == ["sent", "sent"]


def names_in(folder: Path) -> list[str]:
    return sorted(path.name.rpartition("-")[2] for path in folder.iterdir())


async def test_a_folder_gets_a_file_for_each_mail(desk: Desk, tmp_path: Path) -> None:
    await desk.register()
    await desk.changes.forgotten("ada@example.org")
    postman: Postman = desk.postman(FileSender(tmp_path, desk.settings.mail_from))
    while await postman.deliver_one():
        pass
    assert names_in(tmp_path) == ["1.eml", "2.eml"]
