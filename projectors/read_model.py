"""What a read model is to the projection that feeds it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from asyncpg import Connection

from events.stream import StreamState
from projectors.chain import Step, StreamKey


class ReadModel(Protocol):
    """One read model's part of a batch: it takes the steps in order, then writes what they amount to."""

    def apply(self, step: Step) -> None:
        """Take one more event; raise anything when it cannot be shown."""

    async def write(self, pg: Connection) -> None:
        """Write the rows, in the caller's transaction."""


@dataclass(slots=True)
class Touched:
    """What a batch did to one stream: its state before, and its first and last event."""

    before: StreamState | None
    first: Step
    last: Step

    @property
    def key(self) -> StreamKey:
        """The team and the stream."""
        return (self.last.envelope.team_id, self.last.envelope.stream)

    @property
    def is_new(self) -> bool:
        """Whether the stream began in this batch."""
        return self.before is None

    @property
    def created_at(self) -> datetime:
        """When the stream began, if it did so in this batch."""
        return self.first.recorded_at


class TouchedStreams:
    """The streams that a batch touched, in the order in which the streams were first touched."""

    def __init__(self) -> None:
        self._by_stream: dict[StreamKey, Touched] = {}

    def __iter__(self) -> Iterator[Touched]:
        return iter(self._by_stream.values())

    def add(self, step: Step) -> None:
        """Take one more event of a stream."""
        key = (step.envelope.team_id, step.envelope.stream)
        touched = self._by_stream.get(key)
        if touched is None:
            self._by_stream[key] = Touched(step.before, step, step)
        else:
            touched.last = step
