"""What a decider knows right after it has taken a partition: memory, and answers that are still owed."""

from collections.abc import Sequence
from dataclasses import dataclass

from command_api.decider.answering import answered_by
from command_api.decider.memory import Memory, WorkingSet
from command_api.decider.snapshot import LogHead, Snapshot, Wanted
from command_api.decider.stream_writer import settle
from events import outcome
from events.envelope import Envelope, decode, record_hash
from events.errors import MalformedRecord
from events.outcome import is_mark
from events.record import COMMAND_OFFSET, Record, integer_of
from events.registry import read
from events.stream import evolve


@dataclass(frozen=True, slots=True)
class TailEvent:
    """A counting event that the heads may not know yet."""

    record: Record
    envelope: Envelope
    command_offset: int


def read_tail(records: Sequence[Record]) -> list[TailEvent]:
    """The events of counting records; raise `MalformedRecord` for one that is none: an alarm, not a loss."""
    return [
        TailEvent(record, decode(record), integer_of(record.headers, COMMAND_OFFSET)) for record in records
    ]


def wanted_by_tail(tail: Sequence[TailEvent]) -> Wanted:
    """The heads on which the tail builds."""
    return Wanted(
        streams={(event.envelope.team_id, event.envelope.stream) for event in tail},
        teams={event.envelope.team_id for event in tail},
    )


def remember(
    tail: Sequence[TailEvent], outcomes: Sequence[Record], before: Snapshot, snapshot: Snapshot
) -> Memory:
    """The memory of all that counts past the snapshot's checkpoints.

    What was read begins at the checkpoints of the snapshot `before`; raise `CheckpointWentBack` when
    Postgres has fallen behind them meanwhile.
    """
    memory = Memory()
    memory.evict(before)
    memory.observe(snapshot)
    memory.evict(snapshot)
    for event in tail:
        if event.record.offset >= snapshot.start.heads.offset:
            working = WorkingSet(memory, snapshot)
            _follow(working, event)
            memory.keep_events(working.draft, event.record.offset, len(event.record.value or b""))
    for record in outcomes:
        if record.offset >= snapshot.start.outcomes.offset and not is_mark(record):
            _recall(memory, record)
    return memory


class Orphans:
    """Events whose command has no outcome yet: their decider died between its two appends."""

    def __init__(self, tail: Sequence[TailEvent], next_command_offset: int) -> None:
        self._events: dict[int, list[TailEvent]] = {}
        for event in tail:
            if event.command_offset >= next_command_offset:
                self._events.setdefault(event.command_offset, []).append(event)

    def __len__(self) -> int:
        return len(self._events)

    def of(self, command_offset: int) -> list[Envelope]:
        """The events that a command has already."""
        return [event.envelope for event in self._events.get(command_offset, ())]

    def begin_after(self, command_offset: int) -> bool:
        """Whether a later command has its events: one that has none was refused in the same batch."""
        return any(offset > command_offset for offset in self._events)

    def answered_up_to(self, next_command_offset: int) -> None:
        """Commands before this offset have their outcome."""
        for offset in [offset for offset in self._events if offset < next_command_offset]:
            del self._events[offset]

    def owed_from(self, next_command_offset: int, known_end: int) -> int:
        """The end of [events] that a position names: every event before it has its outcome.

        A successor looks for orphans from there on, so it must not pass the first event of a command from
        `next_command_offset` on.
        """
        owed = [
            event.record.offset
            for offset, events in self._events.items()
            if offset >= next_command_offset
            for event in events
        ]
        return min([known_end, *owed])


def _follow(working: WorkingSet, event: TailEvent) -> None:
    envelope = event.envelope
    head = working.log_head(envelope.team_id)
    if envelope.sequence != head.sequence + 1 or envelope.previous_hash != head.hash:
        raise MalformedRecord(
            f"event at offset {event.record.offset} does not follow sequence {head.sequence} of its log"
        )
    state = working.state((envelope.team_id, envelope.stream))
    fact = read(envelope.type, envelope.data)
    after = evolve(state, fact)
    settle(working, team_id=envelope.team_id, stream=envelope.stream, event=fact, after=after)
    working.draft.logs[envelope.team_id] = LogHead(sequence=envelope.sequence, hash=record_hash(event.record))


def _recall(memory: Memory, record: Record) -> None:
    answer = outcome.decode(record)
    if answer.command_id is not None and not answer.repeat:
        key = (answer.team_id, answer.command_id)
        memory.answers.update([(key, answered_by(answer))], record.offset)
