"""A session with Vault: logged in when it has to be, its token renewed before it expires."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from runtime.startup_failures import Misconfigured


class Login(StrEnum):
    """How a process shows Vault who it is."""

    TOKEN = "token"  # noqa: S105 - the name of a method
    KUBERNETES = "kubernetes"
    APPROLE = "approle"


@dataclass(frozen=True, kw_only=True, slots=True)
class VaultAddress:
    """Where a secret is, and what it takes to read it."""

    url: str
    namespace: str
    mount: str
    path: str
    version: int
    login: Login
    login_mount: str
    credentials: tuple[str, ...] = field(repr=False)
    timeout_s: float


class VaultSession:
    """Reads one secret again and again; renews its token after half of its time, or logs in anew."""

    def __init__(self, address: VaultAddress, clock: Callable[[], float] = time.monotonic) -> None:
        import hvac  # noqa: PLC0415 - it is there for who asks for it

        self._address = address
        self._clock = clock
        self._refused = hvac.exceptions.Forbidden, hvac.exceptions.InvalidRequest
        # With an empty token the client does not look for one of the person at the terminal.
        self._client = hvac.Client(
            url=address.url, token="", namespace=address.namespace or None, timeout=address.timeout_s
        )
        self._renew_at = 0.0
        self._is_in = False

    def secret(self) -> object:
        """The secret as it is now; raise what hvac and requests raise."""
        was_in = self._is_in
        self._enter()
        try:
            return self._read()
        except self._refused[0]:
            # A token may be revoked before its time: once more with a new one.
            self._is_in = False
            if not was_in or self._address.login is Login.TOKEN:
                raise
        self._enter()
        return self._read()

    def _read(self) -> object:
        address, kv = self._address, self._client.secrets.kv
        if address.version == 1:
            return kv.v1.read_secret(address.path, mount_point=address.mount)["data"]
        read = kv.v2.read_secret_version(
            address.path, mount_point=address.mount, raise_on_deleted_version=True
        )
        return read["data"]["data"]

    def _enter(self) -> None:
        if self._is_in and self._clock() < self._renew_at:
            return
        if self._is_in and self._renewed():
            return
        self._log_in()
        self._is_in = True

    def _renewed(self) -> bool:
        try:
            answer = self._client.auth.token.renew_self()
        except self._refused:
            return False
        self._keep_until(answer["auth"]["lease_duration"])
        return True

    def _log_in(self) -> None:
        address, methods = self._address, self._client.auth
        if address.login is Login.TOKEN:
            (self._client.token,) = address.credentials
            told = methods.token.lookup_self()["data"]
            # One that cannot be renewed is used until it is refused.
            self._keep_until(told["ttl"] if told.get("renewable") else 0)
            return
        first, second = address.credentials
        if address.login is Login.KUBERNETES:
            answer = methods.kubernetes.login(first, _token_in(second), mount_point=address.login_mount)
        else:
            answer = methods.approle.login(first, second, mount_point=address.login_mount)
        self._keep_until(answer["auth"]["lease_duration"])

    def _keep_until(self, lease_s: Any) -> None:
        # Vault says 0 of a token that does not expire.
        self._renew_at = self._clock() + int(lease_s) / 2 if lease_s else float("inf")


def _token_in(path: str) -> str:
    """The service account's token, which Kubernetes replaces in its file."""
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise Misconfigured(f"PATTERNLOG_VAULT_JWT_FILE: {path} cannot be read") from None
