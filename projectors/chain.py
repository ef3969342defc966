"""Events in order: each team's chain is checked, and each stream's state is carried on."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from events.envelope import FIRST_PREVIOUS_HASH, Envelope
from events.errors import ImpossibleEvent
from events.organization import STREAM as ORGANIZATION_STREAM
from events.organization import OrganizationEvent
from events.pattern import Pattern, PatternEvent, pattern_id_of
from events.registry import Event
from events.stream import StreamState, evolve
from events.team import STREAM as TEAM_STREAM
from events.team import TeamEvent
from projectors.entries import Entry
from projectors.errors import Broken
from projectors.json_rows import json_text

StreamKey = tuple[str, str]
"""A team's id and the name of a stream in its log."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TeamLog:
    """A team's log as far as it was applied: `last_hash` is the link that the next event must name."""

    last_sequence: int = 0
    event_count: int = 0
    last_hash: str = FIRST_PREVIOUS_HASH


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One event applied: the stream's state before and after it, and the fields after it as JSON text."""

    offset: int
    command_start: int
    envelope: Envelope
    event: Event
    recorded_at: datetime
    leaf: bytes
    before: StreamState | None
    after: StreamState
    pattern_id: str
    fields: str | None

    @property
    def team_id(self) -> str:
        """The team whose log it is of."""
        return self.envelope.team_id


def follow(
    entries: Iterable[Entry], logs: dict[str, TeamLog], states: dict[StreamKey, StreamState]
) -> list[Step]:
    """Apply events to the logs and states, which are carried on in place.

    Raise `Broken` at the first event that does not continue its team's chain or its stream.
    """
    steps = []
    for entry in entries:
        event = entry.envelope
        try:
            log = _linked(logs.get(event.team_id, _NO_LOG), entry)
            step = next_step(states, entry)
        except Exception as error:
            # Pure code that raises on an event would raise on it for ever.
            raise Broken(entry.command_start, f"the event at offset {entry.offset}: {error}") from error
        logs[event.team_id] = log
        states[event.team_id, event.stream] = step.after
        steps.append(step)
    return steps


_NO_LOG = TeamLog()


def _linked(log: TeamLog, entry: Entry) -> TeamLog:
    event = entry.envelope
    if event.sequence != log.last_sequence + 1:
        raise ImpossibleEvent(f"sequence {event.sequence} follows {log.last_sequence}")
    if event.previous_hash != log.last_hash:
        raise ImpossibleEvent(f"it does not name the hash of sequence {log.last_sequence}")
    return TeamLog(last_sequence=event.sequence, event_count=log.event_count + 1, last_hash=entry.hash)


def next_step(states: Mapping[StreamKey, StreamState], entry: Entry) -> Step:
    """What an event does to its stream; raise anything when it does not continue it."""
    event = entry.envelope
    before = states.get((event.team_id, event.stream))
    version = before.version if before else 0
    if event.version != version + 1:
        raise ImpossibleEvent(f"version {event.version} of {event.stream} follows {version}")
    after = evolve(before, entry.event)
    return Step(
        offset=entry.offset,
        command_start=entry.command_start,
        envelope=event,
        event=entry.event,
        recorded_at=entry.recorded_at,
        leaf=entry.leaf,
        before=before,
        after=after,
        pattern_id=_pattern_id(event.stream, entry.event),
        fields=json_text(after.fields) if isinstance(after, Pattern) else None,
    )


def _pattern_id(stream: str, event: Event) -> str:
    """The pattern whose stream this is; empty for the team's own."""
    pattern_id = pattern_id_of(stream)
    if isinstance(event, TeamEvent) and stream == TEAM_STREAM:
        return ""
    if isinstance(event, OrganizationEvent) and stream == ORGANIZATION_STREAM:
        return ""
    if not isinstance(event, PatternEvent) or pattern_id is None:
        raise ImpossibleEvent(f"{type(event).__name__} in the stream {stream!r}")
    return pattern_id
