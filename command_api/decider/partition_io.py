"""What the conditional append needs of a log: the port that Kafka, and a simulation of it, implement."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from events.record import NewRecord, Record


class Topic(Enum):
    """The two topics that a decider writes to."""

    EVENTS = "events"
    OUTCOMES = "outcomes"


@dataclass(frozen=True, slots=True)
class Bounds:
    """The offsets of the first record that is kept, and of the next one to come."""

    begin: int
    end: int


class UnknownFate(Exception):
    """An append that was not acknowledged, or without an offset: it may land, now or later, or never."""


class PartitionIO(Protocol):
    """One partition of [events] and [outcomes], through one producer."""

    async def bounds(self, topic: Topic) -> Bounds:
        """Where the partition begins and ends now."""

    async def append(self, topic: Topic, records: Sequence[NewRecord]) -> int:
        """Append the records as one atomic batch and return its base offset; raise `UnknownFate`."""

    async def read(self, topic: Topic, start: int, end: int) -> list[Record]:
        """The records from `start` on, up to but without `end`; both lie within the bounds."""

    async def drop(self) -> None:
        """Let go of all connections without flushing."""
