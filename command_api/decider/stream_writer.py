"""Events on their way into a working set: what each one changes, and the record it becomes."""

from collections.abc import Sequence
from dataclasses import dataclass

from command_api.decider.memory import WorkingSet
from command_api.decider.snapshot import LogHead
from events.envelope import Envelope, encode, record_hash
from events.pattern import Pattern, pattern_id_of, taken_name
from events.record import COMMAND_OFFSET, KIND, NewRecord
from events.registry import Event, type_of, write
from events.stream import StreamState, evolve


@dataclass(frozen=True, kw_only=True, slots=True)
class Origin:
    """What the events of one command have in common."""

    log_id: str
    team_id: str
    stream: str
    command_id: str
    command_hash: str
    command_offset: int
    actor: str
    request_id: str
    occurred_at: str
    recorded_at: str


def settle(working: WorkingSet, *, team_id: str, stream: str, after: StreamState) -> None:
    """Set a stream's new state in the working set, with the names that it takes and frees."""
    before = working.state((team_id, stream))
    working.draft.states[(team_id, stream)] = after
    for state in (before, after):
        if isinstance(state, Pattern):
            working.draft.versions[(team_id, stream, state.version)] = state.fields
    pattern_id = pattern_id_of(stream)
    freed, taken = _name_of(before), _name_of(after)
    if pattern_id is None or freed == taken:
        return
    if freed is not None:
        working.draft.names[(team_id, freed)] = None
    if taken is not None:
        working.draft.names[(team_id, taken)] = pattern_id


def append(working: WorkingSet, origin: Origin, events: Sequence[Event]) -> tuple[list[NewRecord], LogHead]:
    """Apply a command's events and return their records, chained to the log, with the log's new head.

    All that can raise comes before the working set is changed.
    """
    records: list[NewRecord] = []
    head = working.log_head(origin.team_id)
    state = working.state((origin.team_id, origin.stream))
    for index, event in enumerate(events):
        state = evolve(state, event)
        record = encode(_envelope(origin, event, index, len(events), state.version, head))
        bookkeeping = {KIND: b"event", COMMAND_OFFSET: b"%d" % origin.command_offset}
        records.append(record.with_headers(bookkeeping))
        head = LogHead(sequence=head.sequence + 1, hash=record_hash(record))
    if state is not None:
        settle(working, team_id=origin.team_id, stream=origin.stream, after=state)
    working.draft.logs[origin.team_id] = head
    return records, head


def _envelope(origin: Origin, event: Event, index: int, count: int, version: int, head: LogHead) -> Envelope:
    return Envelope(
        log_id=origin.log_id,
        team_id=origin.team_id,
        stream=origin.stream,
        sequence=head.sequence + 1,
        version=version,
        type=type_of(event),
        command_id=origin.command_id,
        command_hash=origin.command_hash,
        command_index=index,
        command_count=count,
        actor=origin.actor,
        request_id=origin.request_id,
        occurred_at=origin.occurred_at,
        recorded_at=origin.recorded_at,
        previous_hash=head.hash,
        data=write(event),
    )


def _name_of(state: StreamState | None) -> str | None:
    return taken_name(state) if isinstance(state, Pattern) else None
