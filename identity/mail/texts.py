"""What the mails say."""

from dataclasses import dataclass
from enum import StrEnum

_FOOT = "\n\nNobody reads answers to this mail.\n"


class MailKind(StrEnum):
    """Why a mail is in the outbox. What it says is decided when it is sent."""

    REGISTERED = "registered"
    VERIFY_EMAIL = "verify_email"
    FORGOTTEN = "forgotten"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - a kind of mail


@dataclass(frozen=True, kw_only=True, slots=True)
class Words:
    """Subject and text of a mail."""

    subject: str
    text: str


def verify_email(public_url: str, username: str, token: str, hours: int) -> Words:
    """To whoever said that the address is theirs."""
    return Words(
        subject="Verify your e-mail address",
        text=(
            f"The account {username} was made with this e-mail address. To show that it is yours, open\n\n"
            f"    {_link(public_url, 'verify-email', token)}\n\n"
            f"or give your client the token\n\n    {token}\n\n"
            f"within {hours} hours. If the account is not yours, do nothing: without this it does not get the"
            f" address.{_FOOT}"
        ),
    )


def address_claimed(username: str, claimed_by: str) -> Words:
    """To whoever has the address already; who claimed it is not told that there is an account."""
    return Words(
        subject="Your e-mail address was given for another account",
        text=(
            f"Someone made the account {claimed_by} with your e-mail address. You have the account {username}"
            " with it, so that one does not get it. If it was you, log in as before, or ask for a new"
            f" password. If not, there is nothing to do.{_FOOT}"
        ),
    )


def reset_password(public_url: str, username: str, token: str, minutes: int) -> Words:
    """To whoever asked for a new password."""
    return Words(
        subject="Choose a new password",
        text=(
            f"A new password was asked for the account {username}. To choose one, open\n\n"
            f"    {_link(public_url, 'reset-password', token)}\n\n"
            f"or give your client the token\n\n    {token}\n\n"
            f"within {minutes} minutes. All sessions end with it. If you did not ask, do nothing: the"
            f" password stays as it is.{_FOOT}"
        ),
    )


def password_changed(username: str) -> Words:
    """To the owner, whoever did it."""
    return Words(
        subject="Your password was changed",
        text=(
            f"The password of the account {username} was changed. If it was not you, ask for a new one at"
            f" once: that ends all sessions and API keys.{_FOOT}"
        ),
    )


def _link(public_url: str, page: str, token: str) -> str:
    # What follows the # is not sent to servers, and so is in no log of theirs.
    return f"{public_url.rstrip('/')}/{page}#token={token}"
