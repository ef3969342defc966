"""Events on their way into a working set: what each one changes, and the record it becomes."""

from collections.abc import Sequence
from dataclasses import dataclass

from command_api.decider.memory import WorkingSet
from command_api.decider.snapshot import LogHead
from events.envelope import Envelope, encode, record_hash
from events.pattern import Pattern, PatternEvent, pattern_id_of, taken_name
from events.record import COMMAND_OFFSET, KIND, NewRecord
from events.registry import Event, type_of, write
from events.stream import StreamState, evolve


@dataclass(frozen=True, kw_only=True, slots=True)
class Origin:
    """What the events of one command have in common."""

    log_id: str
    team_id: str
    command_id: str
    command_hash: str
    command_offset: int
    actor: str
    request_id: str
    occurred_at: str
    recorded_at: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Fact:
    """An event in its place."""

    stream: str
    event: Event
    version: int
    sequence: int


Change = tuple[str, Event]
"""A stream, and an event that is to happen in it."""


def settle(working: WorkingSet, *, team_id: str, stream: str, event: Event, after: StreamState) -> None:
    """Set a stream's new state in the working set, with the names that it takes and frees."""
    key = (team_id, stream)
    before = working.state(key)
    working.draft.states[key] = after
    for state in (before, after):
        if isinstance(state, Pattern):
            working.draft.versions[(*key, state.version)] = state.fields
    if isinstance(event, PatternEvent):
        working.draft.events[(*key, after.version)] = event
    pattern_id = pattern_id_of(stream)
    freed, taken = _name_of(before), _name_of(after)
    if pattern_id is None or freed == taken:
        return
    if freed is not None:
        working.draft.names[(team_id, freed)] = None
    if taken is not None:
        working.draft.names[(team_id, taken)] = pattern_id


def append(
    working: WorkingSet, origin: Origin, changes: Sequence[Change]
) -> tuple[list[NewRecord], list[Fact]]:
    """Apply a command's events; return their records, chained to the log, and where each one stands.

    All that can raise comes before the working set is changed.
    """
    records: list[NewRecord] = []
    facts: list[Fact] = []
    states: list[StreamState] = []
    newest: dict[str, StreamState] = {}
    head = working.log_head(origin.team_id)
    for index, (stream, event) in enumerate(changes):
        before = newest.get(stream) or working.state((origin.team_id, stream))
        newest[stream] = state = evolve(before, event)
        fact = Fact(stream=stream, event=event, version=state.version, sequence=head.sequence + 1)
        record = encode(_envelope(origin, fact, index, len(changes), head))
        bookkeeping = {KIND: b"event", COMMAND_OFFSET: b"%d" % origin.command_offset}
        records.append(record.with_headers(bookkeeping))
        head = LogHead(sequence=head.sequence + 1, hash=record_hash(record))
        facts.append(fact)
        states.append(state)
    for fact, state in zip(facts, states, strict=True):
        settle(working, team_id=origin.team_id, stream=fact.stream, event=fact.event, after=state)
    working.draft.logs[origin.team_id] = head
    return records, facts


def _envelope(origin: Origin, fact: Fact, index: int, count: int, head: LogHead) -> Envelope:
    return Envelope(
        log_id=origin.log_id,
        team_id=origin.team_id,
        stream=fact.stream,
        sequence=fact.sequence,
        version=fact.version,
        type=type_of(fact.event),
        command_id=origin.command_id,
        command_hash=origin.command_hash,
        command_index=index,
        command_count=count,
        actor=origin.actor,
        request_id=origin.request_id,
        occurred_at=origin.occurred_at,
        recorded_at=origin.recorded_at,
        previous_hash=head.hash,
        data=write(fact.event),
    )


def _name_of(state: StreamState | None) -> str | None:
    return taken_name(state) if isinstance(state, Pattern) else None
