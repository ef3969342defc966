"""A projection's health: what its partitions and its watchdog say, told as one part of the process."""

import structlog

from runtime.health import Health

_log = structlog.get_logger(__name__)


class Status:
    """The reasons why a projection does not work, by who gives them; none means that it does."""

    def __init__(self, health: Health, projection: str) -> None:
        self._health = health
        self._part = f"projection:{projection}"
        self._reasons: dict[str, str] = {}
        self.say("start", "starting")

    def say(self, who: str, reason: str | None) -> None:
        """Give a reason, or take it back (None)."""
        if reason is None:
            self._reasons.pop(who, None)
        else:
            self._reasons[who] = reason
        reasons = [f"{who}: {reason}" for who, reason in sorted(self._reasons.items())]
        self._health.set(self._part, "; ".join(reasons) or None)

    def alarm(self, who: str, reason: str) -> None:
        """Say that something has stopped until a person has looked at it."""
        _log.error("projection stopped", part=self._part, who=who, reason=reason)
        self._health.alarm(self._part, f"{who}: {reason}")
