"""Who sends a command, and when it came: what a decision may know of that."""

from dataclasses import dataclass

from events.roles import Role

SYSTEM = "system:"
"""How the ids of the service's own parts begin; no account has such an id."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sender:
    """The actor, the rights that their credential is good for at most, and when the log took the command.

    `at_ms` is in milliseconds since 1970, by the broker's clock.
    """

    actor: str
    at_most: Role | None = None
    at_ms: int = 0

    @property
    def is_system(self) -> bool:
        """Whether it is a part of the service, which acts on what was decided elsewhere."""
        return self.actor.startswith(SYSTEM)
