"""A partition of [events] and [outcomes] in memory, with the faults that a real one has."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from command_api.decider.partition_io import Bounds, Topic, UnknownFate
from events.outcome import Position, mark
from events.readers_rule import NO_ONE, Standing, Verdict, fence, judge, stamps
from events.record import NewRecord, Record

LOG_ID = "0198c0de-0000-7000-8000-000000000001"


@dataclass
class SimulatedPartition:
    """What the brokers hold, shared by every writer."""

    topics: dict[Topic, list[Record]] = field(default_factory=lambda: {topic: [] for topic in Topic})
    begins: dict[Topic, int] = field(default_factory=lambda: dict.fromkeys(Topic, 0))

    def land(self, topic: Topic, records: Sequence[NewRecord]) -> int:
        """Put a batch at the end, as a broker does, and return its base offset."""
        held = self.topics[topic]
        base = len(held)
        for index, record in enumerate(records):
            held.append(
                Record(
                    partition=0,
                    offset=base + index,
                    timestamp_ms=0,
                    key=record.key,
                    value=record.value,
                    headers=record.headers,
                )
            )
        return base

    def counting(self, topic: Topic) -> list[Record]:
        """What counts, for a reader from the start."""
        standing, counting = NO_ONE, []
        for record in self.topics[topic]:
            verdict, standing = judge(standing, record)
            if verdict is Verdict.COUNTS:
                counting.append(record)
        return counting


def made_log() -> SimulatedPartition:
    """A partition with its first fences and mark, as `create_log` makes it."""
    partition = SimulatedPartition()
    first = fence(term=1, writer="genesis", log_id=LOG_ID)
    partition.land(Topic.EVENTS, [first])
    own = stamps(Standing(term=1, writer="genesis", fence_offset=0))
    start = mark(Position(next_command_offset=0, events_end=1), log_id=LOG_ID)
    stamped = NewRecord(key=None, value=None, headers={**start.headers, **own})
    partition.land(Topic.OUTCOMES, [first, stamped])
    return partition


class SimulatedIO:
    """One writer's connection. `lose` makes its next append of unknown fate."""

    def __init__(self, partition: SimulatedPartition) -> None:
        self.partition = partition
        self.in_flight: list[tuple[Topic, list[NewRecord]]] = []
        self._lost_acknowledgement = self._delayed = False

    def lose_acknowledgement(self) -> None:
        """The next append lands, but its writer never hears of it."""
        self._lost_acknowledgement = True

    def delay(self) -> None:
        """The next append is of unknown fate; it lands when `deliver` is called, if ever."""
        self._delayed = True

    def deliver(self) -> None:
        """What was delayed lands now."""
        for topic, records in self.in_flight:
            self.partition.land(topic, records)
        self.in_flight.clear()

    async def bounds(self, topic: Topic) -> Bounds:
        return Bounds(begin=self.partition.begins[topic], end=len(self.partition.topics[topic]))

    async def append(self, topic: Topic, records: Sequence[NewRecord]) -> int:
        if self._delayed:
            self._delayed = False
            self.in_flight.append((topic, list(records)))
            raise UnknownFate("delayed")
        base = self.partition.land(topic, records)
        if self._lost_acknowledgement:
            self._lost_acknowledgement = False
            raise UnknownFate("the acknowledgement was lost")
        return base

    async def read(self, topic: Topic, start: int, end: int) -> list[Record]:
        return self.partition.topics[topic][start:end]

    async def drop(self) -> None:
        """Nothing is held."""
