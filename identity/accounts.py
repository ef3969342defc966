"""What others need of accounts: who someone is, and what ends what they were let in with."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, kw_only=True, slots=True)
class Account:
    """Someone who can log in.

    Whoever lets them in writes the session only if `users.password_changed_at` is still `password_changed_at`
    and `deactivated_at` is null, under `FOR SHARE` of the user's row in the same transaction: a login beside
    a change of the password then ends as if it had come before it, or does not succeed.
    """

    user_id: str
    username: str
    email: str
    email_verified: bool
    created_at: datetime
    password_changed_at: datetime


class EndSessions(Protocol):
    """Ends what a user was let in with, in every process; to do it again is harmless."""

    async def __call__(self, user_id: str, *, but: str | None = None) -> None:
        """End all sessions but one; without one to keep, API keys too."""


class Accounts(Protocol):
    """What tokens need of accounts."""

    async def authenticate(
        self, login: str, password: str, address: str, device: str | None = None
    ) -> Account:
        """Whom a username or an e-mail address and a password stand for.

        Raise `Problem` 401 `invalid_credentials`, 429 `too_many_attempts`, 503 `database_unavailable` or
        `busy`. `address` is the client's; `device` a secret from an earlier `know_device`, if it has one.
        """

    async def know_device(self, user_id: str) -> str:
        """A secret by which a user's device is known again, whatever its address: for a cookie, say."""

    async def of(self, user_id: str) -> Account | None:
        """The account of a user who is active; raise `Problem` 503 `database_unavailable`."""
