"""Who is signed in where: one file of the user's, which nobody else may read and no workspace holds.

A change is a new file that takes the old one's place when it is on the disk: cut off anywhere, one of the
two is there, and whole.
"""

import fcntl
import hashlib
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import field
from pathlib import Path
from typing import Literal

import httpx
from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from sync_client.errors import CredentialsError, NeedsSignIn

_CONFIG = ConfigDict(extra="ignore", strict=True, hide_input_in_errors=True, allow_inf_nan=False)


@dataclass(frozen=True, kw_only=True, config=_CONFIG)
class Account:
    """A session on a server. `obtained_at` is Unix time by this machine's clock, `expires_in` seconds."""

    server: str
    username: str
    user_id: str
    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    obtained_at: float
    expires_in: float


@dataclass(frozen=True, kw_only=True, config=_CONFIG)
class _File:
    version: Literal[1] = 1
    accounts: list[Account] = field(default_factory=list)
    """The one that signed in last is the last."""
    devices: dict[str, str] = field(default_factory=dict)
    """What servers know this machine by, by server and name; it stays when people sign out."""


_FILE: TypeAdapter[_File] = TypeAdapter(_File)


def credentials_path() -> Path:
    """`PATTERNLOG_CREDENTIALS`, or a file in the user's folder for configuration (XDG base directories)."""
    if given := os.environ.get("PATTERNLOG_CREDENTIALS"):
        return Path(given)
    base = Path(os.environ.get("XDG_CONFIG_HOME", ""))
    folder = base if base.is_absolute() else Path.home() / ".config"
    return folder / "patternlog" / "credentials.json"


def server_key(server: str) -> str:
    """A server's base URL as it stands in the file, however it was typed."""
    try:
        return str(httpx.URL(server)).rstrip("/")
    except httpx.InvalidURL:
        return server.rstrip("/")


class Credentials:
    """The file. Every method reads it anew, for another process may have changed it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def accounts(self) -> Sequence[Account]:
        """Everybody, whoever signed in last at the end; raise `CredentialsError`."""
        with self._explained():
            return self._read().accounts

    def device_of(self, server: str, username: str) -> str | None:
        """What a server knows this machine by, so that those who guess passwords hold nobody up here."""
        with self._explained():
            return self._read().devices.get(_device_key(server, username))

    def find(self, server: str, username: str | None = None) -> Account:
        """A server's account, or the one that signed in there last; raise `NeedsSignIn` if there is none."""
        for account in reversed(self.accounts()):
            if account.server == server_key(server) and username in (None, account.username):
                return account
        whom = "nobody is" if username is None else f"{username} is not"
        raise NeedsSignIn("not_signed_in", f"{whom} signed in here: {sign_in_hint(server, username)}")

    def sign_in(self, account: Account, known_device: str | None = None) -> None:
        """Keep an account as the one that signed in last."""
        with self._changing() as file:
            file.accounts[:] = [*(one for one in file.accounts if not _same(one, account)), account]
            if known_device is not None:
                file.devices[_device_key(account.server, account.username)] = known_device

    def renew(self, account: Account) -> None:
        """Keep an account's new tokens, if it was not signed out meanwhile."""
        with self._changing() as file:
            file.accounts[:] = [account if _same(one, account) else one for one in file.accounts]

    def sign_out(self, account: Account) -> None:
        """Forget an account, unless it has other tokens by now."""
        with self._changing() as file:
            others = [one for one in file.accounts if one.refresh_token != account.refresh_token]
            file.accounts[:] = others

    @contextmanager
    def turn_of(self, account: Account) -> Iterator[bool]:
        """Whether it is our turn to renew an account's tokens: a refresh token is good for one use."""
        # What a server calls somebody is no name for a file.
        whose = hashlib.sha256(f"{account.server} {account.username}".encode()).hexdigest()
        name = f".{self.path.name}.{whose[:16]}.lock"
        with self._explained():
            descriptor = self._open_lock(name)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True
        finally:
            os.close(descriptor)

    @contextmanager
    def _changing(self) -> Iterator[_File]:
        """What is in the file, to be changed; others wait meanwhile."""
        with self._explained():
            descriptor = self._open_lock(f".{self.path.name}.lock")
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                found = self._read()
                yield found
                self._write(found)
            finally:
                os.close(descriptor)

    def _open_lock(self, name: str) -> int:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # The file stays: removing it would let two processes lock two files of one name.
        return os.open(self.path.with_name(name), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def _read(self) -> _File:
        try:
            with self.path.open("rb") as file:
                self._check(os.fstat(file.fileno()))
                return _FILE.validate_json(file.read())
        except FileNotFoundError:
            return _File()
        except ValidationError:
            raise CredentialsError(
                "credentials_unusable", f"{self.path} is damaged: remove it, and sign in again"
            ) from None

    def _check(self, found: os.stat_result) -> None:
        """Refuse what others can read, as they may have read it already."""
        if found.st_uid != os.geteuid():
            raise CredentialsError("credentials_exposed", f"{self.path} belongs to another user")
        if stat.S_IMODE(found.st_mode) & 0o077:
            detail = f"others can read or change {self.path}: chmod 600 it, and better sign out and in again"
            raise CredentialsError("credentials_exposed", detail)

    def _write(self, changed: _File) -> None:
        new = self.path.with_name(f".{self.path.name}.new")
        new.unlink(missing_ok=True)
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(_FILE.dump_json(changed, indent=2))
            file.flush()
            os.fsync(file.fileno())
        new.replace(self.path)
        folder = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            where = error.filename or self.path
            raise CredentialsError("credentials_unusable", f"{where}: {error.strerror}") from error


def sign_in_hint(server: str, username: str | None) -> str:
    """What to type to sign in."""
    whom = "" if username is None else f" --username {username}"
    return f"patternlog login --server {server_key(server)}{whom}"


def _device_key(server: str, username: str) -> str:
    return f"{server_key(server)} {username}"


def _same(one: Account, other: Account) -> bool:
    return (one.server, one.username) == (other.server, other.username)
