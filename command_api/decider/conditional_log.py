"""The conditional append: exactly once on Kafka, without transactions.

    [events] p     … e e │F7│ e e │F8│ e …        a fence F takes the partition for a term
    [outcomes] p   … o o │F7│ m o o │F8│ m …      the first record after it is a mark m

A writer takes a partition by appending a fence to both topics and reading up to them; it then knows all
that counts, and whatever an older writer still appends is void by the reader's rule. Each of its batches
must be given the offset it expects: else it reads what came between, and stops if that is a newer fence.
After an append of unknown fate it never appends again; the partition is taken anew under a higher term.
docs/conditional-append.md has the whole protocol, and tests/model/ checks it exhaustively.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from command_api.decider.partition_io import PartitionIO, Topic, UnknownFate
from events.outcome import Position, mark, position_of
from events.readers_rule import (
    NO_ONE,
    Standing,
    Verdict,
    fence,
    fence_offset_of,
    is_fence_of,
    judge,
    stamps,
)
from events.record import NewRecord, Record


class Superseded(Exception):
    """Another writer holds the partition: stop, answer nothing."""


class NotReady(Exception):
    """The partition cannot be taken yet; the reason is for the health check."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Point:
    """A place in a topic's partition, and who may write there."""

    offset: int
    standing: Standing


BEGINNING = Point(offset=0, standing=NO_ONE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Start:
    """Where taking a partition begins to read: what the projections already know."""

    heads: Point
    outcomes: Point
    position: Position | None


@dataclass(slots=True)
class _Tail:
    standing: Standing
    end: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Taken:
    """A partition that was taken: its log, where to go on, and all that counts since the projections."""

    log: "ConditionalLog"
    next_command_offset: int
    events: list[Record]
    outcomes: list[Record]


class ConditionalLog:
    """A taken partition: appends that count, or `Superseded`, or `UnknownFate`."""

    def __init__(self, io: PartitionIO, log_id: str, events: _Tail, outcomes: _Tail) -> None:
        self._io = io
        self._log_id = log_id
        self._tails = {Topic.EVENTS: events, Topic.OUTCOMES: outcomes}

    @property
    def events_end(self) -> int:
        """The end of [events] as far as this writer knows; everything before it is settled."""
        return self._tails[Topic.EVENTS].end

    @property
    def outcomes_end(self) -> int:
        """The end of [outcomes] as far as this writer knows."""
        return self._tails[Topic.OUTCOMES].end

    async def append_events(self, records: Sequence[NewRecord]) -> None:
        """Append events; when this returns they count, for every reader and for ever."""
        await self._append(Topic.EVENTS, records)

    async def append_outcomes(self, records: Sequence[NewRecord]) -> None:
        """Append outcomes of commands whose events count."""
        await self._append(Topic.OUTCOMES, records)

    async def append_mark(self, position: Position) -> None:
        """Append the first record of a new owner: where it goes on."""
        await self._append(Topic.OUTCOMES, [mark(position, log_id=self._log_id)])

    async def _append(self, topic: Topic, records: Sequence[NewRecord]) -> None:
        tail = self._tails[topic]
        own = stamps(tail.standing)
        base = await self._io.append(topic, [record.with_headers(own) for record in records])
        if base < tail.end:
            raise UnknownFate(f"the broker gave offset {base}, before the end {tail.end} it gave earlier")
        if base > tail.end:
            await self._settle_between(topic, tail, base)
        tail.end = base + len(records)

    async def _settle_between(self, topic: Topic, tail: _Tail, base: int) -> None:
        for record in await self._io.read(topic, tail.end, base):
            verdict, _ = judge(tail.standing, record)
            if verdict is not Verdict.VOID:
                raise Superseded(f"{topic.value} offset {record.offset} is not ours and counts")


async def take(io: PartitionIO, *, writer: str, log_id: str, start: Start) -> Taken:
    """Take the partition under a new term, as a writer that was never used before.

    The new owner's first record, a mark, is the caller's to append, once it knows which answers are owed.
    Raise `Superseded` when a rival took it meanwhile (try again), `UnknownFate` when a fence was not
    acknowledged (try again with another writer), `NotReady` when the log and the projections disagree.
    """
    await _check_within(io, Topic.EVENTS, start.heads)
    await _check_within(io, Topic.OUTCOMES, start.outcomes)
    outcomes = await _read_on(io, Topic.OUTCOMES, start.outcomes)
    owed_from = _last_position(outcomes.counting, start.position).events_end
    events = await _read_on(io, Topic.EVENTS, await _events_start(io, start.heads, owed_from))
    term = max(events.standing.term, outcomes.standing.term) + 1
    own = fence(term=term, writer=writer, log_id=log_id)
    for reading in (events, outcomes):
        await _place_fence(io, reading, own)
    log = ConditionalLog(
        io, log_id, _Tail(events.standing, events.end), _Tail(outcomes.standing, outcomes.end)
    )
    return Taken(
        log=log,
        next_command_offset=_last_position(outcomes.counting, start.position).next_command_offset,
        events=[record for record in events.counting if record.offset >= min(owed_from, start.heads.offset)],
        outcomes=outcomes.counting,
    )


@dataclass(slots=True)
class _Reading:
    topic: Topic
    standing: Standing
    end: int
    counting: list[Record]

    def add(self, records: Sequence[Record]) -> None:
        for record in records:
            verdict, self.standing = judge(self.standing, record)
            if verdict is Verdict.COUNTS:
                self.counting.append(record)
            self.end = record.offset + 1


async def _check_within(io: PartitionIO, topic: Topic, point: Point) -> None:
    bounds = await io.bounds(topic)
    if not bounds.begin <= point.offset <= bounds.end:
        raise NotReady(
            f"the projection of {topic.value} stands at offset {point.offset}, "
            f"the log reaches from {bounds.begin} to {bounds.end}"
        )
    fence_offset = point.standing.fence_offset
    if point.standing == NO_ONE or fence_offset < bounds.begin:
        return
    (found,) = await io.read(topic, fence_offset, fence_offset + 1)
    if not is_fence_of(found, point.standing):
        # A restored database: its checkpoints mean nothing here.
        raise NotReady(f"the projection of {topic.value} is of another cluster: see docs/backup.md")


async def _read_on(io: PartitionIO, topic: Topic, start: Point) -> _Reading:
    reading = _Reading(topic, start.standing, start.offset, [])
    reading.add(await io.read(topic, start.offset, (await io.bounds(topic)).end))
    return reading


async def _place_fence(io: PartitionIO, reading: _Reading, own: NewRecord) -> None:
    at = await io.append(reading.topic, [own])
    reading.add(await io.read(reading.topic, reading.end, at + 1))
    if reading.standing.fence_offset != at:
        raise Superseded(f"a rival's fence took {reading.topic.value} before offset {at}")


def _last_position(outcomes: Sequence[Record], before: Position | None) -> Position:
    if outcomes:
        return position_of(outcomes[-1])
    if before is None:
        raise NotReady("outcomes hold no position: not even the first mark counts")
    return before


async def _events_start(io: PartitionIO, heads: Point, owed_from: int) -> Point:
    """Where to read [events] from: the heads' checkpoint, or earlier, where answers are still owed.

    Who was current there is not known, so the rule for readers in mid-log finds it. Where no record tells
    of a fence, no event lies there either, and the checkpoint is early enough.
    """
    if owed_from < heads.offset:
        for record in await io.read(Topic.EVENTS, owed_from, heads.offset):
            fence_offset = fence_offset_of(record)
            if fence_offset is not None:
                return Point(offset=fence_offset, standing=NO_ONE)
    return heads
