"""Mails leave whole, to whom they are for, over a connection that keeps them."""

import stat
from datetime import UTC, datetime
from email import message_from_bytes, policy
from pathlib import Path

import pytest
import stamina
from pydantic import SecretStr

from identity.mail.files import FileSender
from identity.mail.port import Mail, MailDelayed, MailRefused, message_of
from identity.mail.senders import create_mail_sender
from identity.mail.smtp import TRIES, SmtpSender
from identity.mail.texts import address_claimed, password_changed, reset_password, verify_email
from runtime.identity_settings import MailSecurity
from runtime.settings import Settings
from runtime.startup_failures import Misconfigured
from tests.smtp import USER, USER_PASSWORD, Certificate, Kept, mail_server, make_certificate, starttls
from tests.web import development

SENDER = "Patternlog <noreply@patternlog.example>"


def a_mail(to: str = "ada@example.org", subject: str = "Hello", text: str = "Grüße\n") -> Mail:
    return Mail(name="1-2", to=to, subject=subject, text=text, written_at=datetime(2026, 1, 2, tzinfo=UTC))


def smtp_settings(port: int, **changes: object) -> Settings:
    return development(
        mail_host="127.0.0.1",
        mail_port=port,
        mail_from=SENDER,
        mail_timeout_s=5.0,
        **{"mail_security": MailSecurity.NONE, **changes},
    )


@pytest.fixture
def certificate(tmp_path: Path) -> Certificate:
    return make_certificate(tmp_path)


def trusting(monkeypatch: pytest.MonkeyPatch, certificate: Certificate) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.certificate))


async def test_a_mail_arrives_as_it_was_written() -> None:
    kept = Kept()
    with mail_server(kept) as port:
        await SmtpSender(smtp_settings(port)).send(a_mail())
    (envelope,) = kept.envelopes
    assert envelope.rcpt_tos == ["ada@example.org"]
    assert envelope.mail_from == "noreply@patternlog.example"
    assert isinstance(envelope.content, bytes)
    message = message_from_bytes(envelope.content, policy=policy.default)
    assert message["To"] == "ada@example.org"
    assert message["From"] == SENDER
    assert message["Message-ID"] == "<1-2@patternlog.example>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message.get_content().replace("\r\n", "\n") == "Grüße\n"


async def test_a_password_is_sent_over_starttls_alone(
    certificate: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    trusting(monkeypatch, certificate)
    kept = Kept()
    with mail_server(kept, **starttls(certificate)) as port:
        settings = smtp_settings(
            port,
            mail_security=MailSecurity.STARTTLS,
            mail_user=USER,
            mail_password=SecretStr(USER_PASSWORD),
        )
        await SmtpSender(settings).send(a_mail())
    assert kept.secure == [True]


async def test_a_mail_is_sent_over_tls_from_the_start(
    certificate: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    trusting(monkeypatch, certificate)
    kept = Kept()
    with mail_server(kept, ssl_context=certificate.context()) as port:
        await SmtpSender(smtp_settings(port, mail_security=MailSecurity.TLS)).send(a_mail())
    # That server understands nothing else.
    assert len(kept.envelopes) == 1


async def test_nothing_is_sent_to_a_server_that_cannot_show_who_it_is(certificate: Certificate) -> None:
    kept = Kept()
    with stamina.set_testing(True), mail_server(kept, **starttls(certificate)) as port:
        settings = smtp_settings(port, mail_security=MailSecurity.STARTTLS)
        with pytest.raises(MailDelayed):
            await SmtpSender(settings).send(a_mail())
    assert kept.envelopes == []


async def test_nothing_is_sent_in_the_clear_where_starttls_is_asked_for() -> None:
    kept = Kept()
    with stamina.set_testing(True), mail_server(kept) as port:
        settings = smtp_settings(port, mail_security=MailSecurity.STARTTLS)
        with pytest.raises(MailDelayed):
            await SmtpSender(settings).send(a_mail())
    assert kept.envelopes == []


async def test_what_passes_is_tried_again_at_once() -> None:
    kept = Kept(answers=["450 busy", "451 still busy"])
    with stamina.set_testing(True, attempts=TRIES), mail_server(kept) as port:
        await SmtpSender(smtp_settings(port)).send(a_mail())
    assert len(kept.envelopes) == 1


@pytest.mark.parametrize(("answer", "error"), [("550 no such user", MailRefused), ("450 later", MailDelayed)])
async def test_a_server_refuses_for_good_or_for_the_moment(answer: str, error: type[Exception]) -> None:
    kept = Kept(answers=[answer] * TRIES)
    with stamina.set_testing(True), mail_server(kept) as port, pytest.raises(error) as raised:
        await SmtpSender(smtp_settings(port)).send(a_mail())
    # What a server says may quote the address, and goes to the log.
    assert str(raised.value) == f"the server answered {answer[:3]}"


async def test_a_server_that_is_not_there_or_does_not_speak_delays_the_mail() -> None:
    with mail_server(Kept()) as port:
        pass
    with stamina.set_testing(True), pytest.raises(MailDelayed):
        await SmtpSender(smtp_settings(port)).send(a_mail())


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
def test_no_line_break_makes_one_header_two(end: str) -> None:
    injected = f"x{end}Bcc: eve@example.org"
    for mail in (a_mail(subject=injected), a_mail(to=f"ada@example.org{end}Bcc: eve@example.org")):
        with pytest.raises(MailRefused):
            message_of(mail, SENDER)
    with pytest.raises(MailRefused):
        message_of(a_mail(), f"a@b.example{end}Bcc: eve@example.org")


async def test_a_file_holds_one_mail_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "mails"
    sender = FileSender(folder, SENDER)
    await sender.send(a_mail())
    await sender.send(a_mail())
    (file,) = folder.iterdir()
    assert file.name == "1-2.eml"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert message_from_bytes(file.read_bytes(), policy=policy.default)["To"] == "ada@example.org"


async def test_a_file_in_the_folders_place_delays_the_mail(tmp_path: Path) -> None:
    (tmp_path / "mails").write_text("")
    with pytest.raises(MailDelayed):
        await FileSender(tmp_path / "mails", SENDER).send(a_mail())


def test_the_settings_say_by_which_way_mails_leave(tmp_path: Path) -> None:
    assert create_mail_sender(development()) is None
    assert isinstance(create_mail_sender(development(mail_folder=str(tmp_path))), FileSender)
    both = development(mail_folder=str(tmp_path), mail_host="mail.example")
    assert isinstance(create_mail_sender(both), SmtpSender)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"mail_from": "nobody"}, "PATTERNLOG_MAIL_FROM"),
        ({"mail_from": "a@b.example\r\nBcc: eve@example.org"}, "PATTERNLOG_MAIL_FROM"),
        (
            {"mail_host": "m", "mail_user": "u", "mail_security": MailSecurity.NONE},
            "PATTERNLOG_MAIL_SECURITY",
        ),
    ],
)
def test_a_setting_that_cannot_work_is_named_at_the_start(changes: dict[str, object], named: str) -> None:
    with pytest.raises(Misconfigured, match=named):
        create_mail_sender(development(**changes))


def test_a_mail_does_not_show_its_token() -> None:
    words = reset_password("http://127.0.0.1/", "ada", "the-token", 60)
    assert "http://127.0.0.1/reset-password#token=the-token\n" in words.text
    assert "the-token" not in repr(a_mail(text=words.text))
    assert "the-token" in verify_email("http://x", "ada", "the-token", 48).text
    for without in (address_claimed("ada", "eve"), password_changed("ada")):
        assert "http" not in without.text
