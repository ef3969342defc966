"""What the service's answers about accounts look like; no error of reading them shows a secret."""

import time
from dataclasses import field

from pydantic import ConfigDict, TypeAdapter
from pydantic.dataclasses import dataclass

from sync_client.credentials import Account, server_key
from sync_client.wire import read_shape

_OPEN = ConfigDict(extra="ignore", strict=True, hide_input_in_errors=True, allow_inf_nan=False)


@dataclass(frozen=True, kw_only=True, config=_OPEN)
class _SignedIn:
    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_in: float
    user_id: str
    username: str
    known_device: str | None = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True, config=_OPEN)
class NewKey:
    """An API key as it is told once."""

    key: str = field(repr=False)


_SIGNED_IN: TypeAdapter[_SignedIn] = TypeAdapter(_SignedIn)
_NEW_KEY: TypeAdapter[NewKey] = TypeAdapter(NewKey)


@dataclass(frozen=True, kw_only=True)
class Moment:
    """A point in time by two clocks, in seconds: one that people set, and one that only goes on."""

    wall: float
    steady: float


def moment() -> Moment:
    """Now."""
    return Moment(wall=time.time(), steady=time.monotonic())


@dataclass(frozen=True, kw_only=True)
class LoggedIn:
    """An account, and what the server knows this machine by."""

    account: Account
    known_device: str | None = field(repr=False)


def read_login(server: str, body: bytes, asked_at: Moment) -> LoggedIn:
    """What a login leads to; raise `UnexpectedAnswer`."""
    found = read_shape(_SIGNED_IN, body)
    account = _account(server, found, asked_at)
    return LoggedIn(account=account, known_device=found.known_device)


def read_account(server: str, body: bytes, asked_at: Moment) -> Account:
    """The account that a refresh leads to; raise `UnexpectedAnswer`."""
    return _account(server, read_shape(_SIGNED_IN, body), asked_at)


def _account(server: str, found: _SignedIn, asked_at: Moment) -> Account:
    return Account(
        server=server_key(server),
        username=found.username,
        user_id=found.user_id,
        access_token=found.access_token,
        refresh_token=found.refresh_token,
        obtained_at=asked_at.wall,
        expires_in=found.expires_in,
    )


def read_new_key(body: bytes) -> NewKey:
    """A new API key; raise `UnexpectedAnswer`."""
    return read_shape(_NEW_KEY, body)
