"""Mails, and the port by which they leave."""

from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from typing import Protocol

from email_validator import validate_email


@dataclass(frozen=True, kw_only=True, slots=True)
class Mail:
    """One mail to one address. `name` is the same whenever it is sent again."""

    name: str
    to: str
    subject: str
    text: str
    written_at: datetime

    def __repr__(self) -> str:
        # Its text has a token in it.
        return f"Mail({self.name!r})"


class MailRefused(Exception):
    """The mail will not be taken, however often it is sent."""


class MailDelayed(Exception):
    """The mail was not taken; it may be later."""


class MailSender(Protocol):
    """Sends mails."""

    async def send(self, mail: Mail) -> None:
        """Hand it over; raise `MailRefused` or `MailDelayed`. It may have arrived even so."""


def message_of(mail: Mail, sender: str) -> EmailMessage:
    """The message (RFC 5322); raise `MailRefused` where a line break would make one header two."""
    try:
        return _message(mail, sender)
    except ValueError as error:
        raise MailRefused("it cannot be written as a mail") from error


def _message(mail: Mail, sender: str) -> EmailMessage:
    # utf8 writes addresses as they are (RFC 6532); the server says whether it takes those.
    message = EmailMessage(policy=SMTP)
    message["From"] = sender
    message["To"] = Address(addr_spec=mail.to) if mail.to.isascii() else _international(mail.to)
    message["Subject"] = mail.subject
    message["Date"] = mail.written_at
    message["Message-ID"] = f"<{mail.name}@{_domain_of(sender)}>"
    # Nobody's absence is to be answered to (RFC 3834).
    message["Auto-Submitted"] = "auto-generated"
    # Plain text stays readable in the file and on the wire; other text is encoded.
    message.set_content(mail.text, cte="7bit" if mail.text.isascii() else "quoted-printable")
    return message


def _international(address: str) -> Address:
    local, _, domain = address.rpartition("@")
    return Address(username=local, domain=domain)


def _domain_of(sender: str) -> str:
    return sender.rpartition("@")[2].strip("> ")


def check_sender(sender: str) -> None:
    """Raise ValueError if the address that mails are to come from is none."""
    validate_email(sender, check_deliverability=False, allow_display_name=True, test_environment=True)
