"""The topics of the log, and which partition a team lives in."""

from dataclasses import dataclass
from functools import lru_cache

from aiokafka.partitioner import murmur2


@dataclass(frozen=True, slots=True)
class Topics:
    """The topics' names under a prefix."""

    prefix: str

    @property
    def commands(self) -> str:
        """Commands as accepted by the API."""
        return f"{self.prefix}.commands.v1"

    @property
    def events(self) -> str:
        """Facts, and fences."""
        return f"{self.prefix}.events.v1"

    @property
    def outcomes(self) -> str:
        """One answer per command, fences and marks."""
        return f"{self.prefix}.outcomes.v1"

    @property
    def tree_heads(self) -> str:
        """Signed heads of the logs' Merkle trees, and notes of the keys that sign them."""
        return f"{self.prefix}.tree_heads.v1"

    @property
    def all(self) -> tuple[str, ...]:
        """All of them."""
        return tuple(self.by_role.values())

    @property
    def by_role(self) -> dict[str, str]:
        """Their names by what they hold, whatever the prefix."""
        return {
            "commands": self.commands,
            "events": self.events,
            "outcomes": self.outcomes,
            "tree_heads": self.tree_heads,
        }


@lru_cache(maxsize=65_536)
def partition_of(team_id: str, partitions: int) -> int:
    """The partition of a team's log: Kafka's own default for the key, so any client finds the same."""
    return int(murmur2(team_id.encode()) & 0x7FFFFFFF) % partitions
