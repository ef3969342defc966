"""The secrets of a running process: read again and again, and put in force together if good."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

import structlog
from pydantic import SecretStr

from runtime.health import Health
from runtime.metrics import SECRET_RELOADS
from runtime.settings import Settings
from runtime.startup_failures import StartupFailure

_log = structlog.get_logger(__name__)

Check = Callable[[Settings], object]
"""Raises `Misconfigured` when a part could not work with these settings."""
Subscriber = Callable[[Settings], None]
"""Is told of secrets that have come into force; called in the event loop, and does not wait."""

_PART = "secrets"
SECRETS = tuple(name for name, field in Settings.model_fields.items() if isinstance(field.default, SecretStr))
"""What is reloaded. Everything else takes a restart."""


class SettingsSource:
    """Holds the settings in force. Without `load` they stay as they are."""

    def __init__(self, settings: Settings, load: Callable[[], Settings] | None = None) -> None:
        self._load = load
        self._loaded = settings
        self._current = settings.followed_by(self.current)
        self._checks: list[Check] = []
        self._subscribers: list[Subscriber] = []
        self._wanted = asyncio.Event()

    def current(self) -> Settings:
        """The settings with the secrets that are in force now."""
        return self._current

    def check(self, check: Check) -> None:
        """Have new secrets judged before they come into force."""
        self._checks.append(check)

    def subscribe(self, subscriber: Subscriber) -> None:
        """Tell somebody of secrets that have come into force."""
        self._subscribers.append(subscriber)

    def want(self) -> None:
        """Have the secrets read at once."""
        self._wanted.set()

    async def run(self, health: Health) -> None:
        """Read the secrets every `secrets_reload_s` seconds, and whenever somebody wants it."""
        while self._load is not None:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wanted.wait(), self._current.secrets_reload_s)
            self._wanted.clear()
            await self.reload(health)

    async def reload(self, health: Health) -> bool:
        """Read the secrets; put them in force if they are good. Those in force stay if not: False."""
        if self._load is None:
            return True
        try:
            loaded = await asyncio.to_thread(self._load)
            rotated = self._judged(loaded)
        except StartupFailure as failure:
            # What it says was made for an operator to read, and holds no secret.
            self._refuse(health, str(failure))
            return False
        except Exception as error:
            self._refuse(health, f"a bug: {type(error).__name__}")
            return False
        health.remark(_PART, None)
        self._tell_of_others(loaded)
        self._loaded = loaded
        if rotated:
            self._put_in_force(rotated)
        SECRET_RELOADS.labels("rotated" if rotated else "same").inc()
        return True

    def _judged(self, loaded: Settings) -> dict[str, SecretStr]:
        """The secrets that are others than before; raise `Misconfigured` if a part cannot work with them."""
        # Against what was loaded last, not what is in force: a process may be given settings of its own.
        rotated: dict[str, SecretStr] = {
            name: getattr(loaded, name)
            for name in SECRETS
            if getattr(loaded, name) != getattr(self._loaded, name)
        }
        if rotated:
            new = self._current.model_copy(update=rotated)
            for check in self._checks:
                check(new)
        return rotated

    def _put_in_force(self, rotated: dict[str, SecretStr]) -> None:
        self._current = self._current.model_copy(update=rotated)
        _log.info("secrets rotated", settings=sorted(rotated))
        for subscriber in self._subscribers:
            try:
                subscriber(self._current)
            except Exception as error:
                _log.error("a part did not take the new secrets", reason=type(error).__name__)

    def _refuse(self, health: Health, reason: str) -> None:
        SECRET_RELOADS.labels("refused").inc()
        _log.error("secrets not reloaded", reason=reason)
        health.remark(_PART, f"not reloaded, those from before are in force: {reason}")

    def _tell_of_others(self, loaded: Settings) -> None:
        others = [
            name
            for name in Settings.model_fields
            if name not in SECRETS and getattr(loaded, name) != getattr(self._loaded, name)
        ]
        if others:
            _log.warning("settings changed that take a restart", settings=others)
