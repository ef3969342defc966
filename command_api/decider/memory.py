"""A decider's memory of one partition, and the working set of one micro-batch on top of it.

What is not in memory is up to date in Postgres: memory holds all that was set past the highest
checkpoint at which something was evicted. A checkpoint below that voids the memory. (Of the past, what
patterns were at earlier versions, it holds so much and no more.)
"""

from collections import deque
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from command_api.decider.overlay import Overlay
from command_api.decider.snapshot import (
    Answered,
    CommandKey,
    Fields,
    LogHead,
    NameKey,
    Snapshot,
    StreamKey,
    VersionKey,
    Wanted,
)
from events.envelope import FIRST_PREVIOUS_HASH
from events.pattern import Pattern, PatternConflictDetected, PatternEvent
from events.stream import StreamState

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

_MOST_VERSIONS = 10_000
_MOST_BYTES = 256 * 1024 * 1024

EMPTY_LOG = LogHead(sequence=0, hash=FIRST_PREVIOUS_HASH)


class CheckpointWentBack(Exception):
    """Postgres is at an earlier state than memory was evicted at: take the partition anew."""


class RowsRepaired(CheckpointWentBack):
    """Rows that memory was built on turned out to be wrong, and were repaired: take the partition anew."""


@dataclass(slots=True)
class Draft:
    """What one micro-batch has set; it becomes memory once its appends count."""

    states: dict[StreamKey, StreamState] = field(default_factory=dict)
    versions: dict[VersionKey, Fields] = field(default_factory=dict)
    events: dict[VersionKey, PatternEvent] = field(default_factory=dict)
    names: dict[NameKey, str | None] = field(default_factory=dict)
    logs: dict[str, LogHead] = field(default_factory=dict)
    answers: dict[CommandKey, Answered] = field(default_factory=dict)

    def copy(self) -> "Draft":
        """The same, to go on from or to come back to."""
        return Draft(
            states=dict(self.states),
            versions=dict(self.versions),
            events=dict(self.events),
            names=dict(self.names),
            logs=dict(self.logs),
            answers=dict(self.answers),
        )


class Memory:
    """All that was set past the checkpoints at which it was last evicted."""

    def __init__(self) -> None:
        self.states: Overlay[StreamKey, StreamState] = Overlay()
        self.versions: Overlay[VersionKey, Fields] = Overlay()
        self.events: Overlay[VersionKey, PatternEvent] = Overlay()
        self.names: Overlay[NameKey, str | None] = Overlay()
        self.logs: Overlay[str, LogHead] = Overlay()
        self.answers: Overlay[CommandKey, Answered] = Overlay()
        self._heads_evicted_at = 0
        self._outcomes_evicted_at = 0
        self._repairs: int | None = None
        self._sizes: deque[tuple[int, int]] = deque()
        self._bytes = 0

    def observe(self, snapshot: Snapshot) -> None:
        """Check a snapshot against what memory was made with; raise `CheckpointWentBack`."""
        heads, outcomes = snapshot.start.heads.offset, snapshot.start.outcomes.offset
        if heads < self._heads_evicted_at or outcomes < self._outcomes_evicted_at:
            raise CheckpointWentBack(
                f"checkpoints are at {heads} and {outcomes}, memory was evicted at "
                f"{self._heads_evicted_at} and {self._outcomes_evicted_at}"
            )
        if self._repairs is not None and snapshot.repairs != self._repairs:
            raise RowsRepaired(f"rows were repaired: {snapshot.repairs}, memory knows of {self._repairs}")

    def evict(self, snapshot: Snapshot) -> None:
        """Let go of all that the snapshot's checkpoints have passed."""
        self._repairs = snapshot.repairs
        self._heads_evicted_at, self._outcomes_evicted_at = (
            snapshot.start.heads.offset,
            snapshot.start.outcomes.offset,
        )
        for overlay in (self.states, self.versions, self.events, self.names, self.logs):
            overlay.evict(self._heads_evicted_at)
        while self._sizes and self._sizes[0][0] < self._heads_evicted_at:
            self._bytes -= self._sizes.popleft()[1]
        self.answers.evict(self._outcomes_evicted_at)

    def keep_events(self, draft: Draft, offset: int, size: int) -> None:
        """Keep what events up to and with an offset of [events] have set; they take `size` bytes."""
        self.states.update(draft.states.items(), offset)
        self._sizes.append((offset, size))
        self._bytes += size
        if len(self.versions) > _MOST_VERSIONS or self._bytes > _MOST_BYTES:
            self._forget()
        self.versions.update(draft.versions.items(), offset)
        self.events.update(draft.events.items(), offset)
        self.names.update(draft.names.items(), offset)
        self.logs.update(draft.logs.items(), offset)

    def _forget(self) -> None:
        """Let go of the past, though Postgres may not have it: without its base an edit is a conflict, which
        is better than a process without memory. What an open conflict is about has to be there.
        """
        self.versions = Overlay()
        self.events.forget(unless=self._is_open_conflict)
        self._sizes.clear()
        self._bytes = 0

    def _is_open_conflict(self, key: VersionKey, event: PatternEvent) -> bool:
        team_id, stream, _ = key
        if not isinstance(event, PatternConflictDetected) or (team_id, stream) not in self.states:
            return False
        state = self.states[team_id, stream]
        return isinstance(state, Pattern) and event.conflict_id in state.conflicts

    def keep_answers(self, draft: Draft, offset: int) -> None:
        """Keep what outcomes up to and with an offset of [outcomes] have answered."""
        self.answers.update(draft.answers.items(), offset)


class WorkingSet:
    """The newest value of each key: from the batch's own draft, else from memory, else from Postgres."""

    def __init__(self, memory: Memory, snapshot: Snapshot, asked: Wanted | None = None) -> None:
        """`asked` is what the snapshot was read for; without it, what it lacks is nowhere."""
        self.draft = Draft()
        self._memory = memory
        self._snapshot = snapshot
        self._asked = asked

    def learn(self, asked: Wanted, more: Snapshot) -> None:
        """Take in what was read later. It may be newer than the rest; memory has what lies between."""
        if self._asked is not None:
            self._asked.add(asked)
        self._snapshot.names.update(more.names)
        self._snapshot.versions.update(more.versions)
        self._snapshot.events.update(more.events)

    def knows_fields(self, key: VersionKey) -> bool:
        """Whether a version's fields are at hand, or nowhere."""
        return self._asked is None or key in self._asked.versions or self.fields_at(key) is not None

    def knows_event(self, key: VersionKey) -> bool:
        """The same of the event that made a version."""
        return self._asked is None or key in self._asked.events or self.event_at(key) is not None

    def knows_name(self, key: NameKey) -> bool:
        """Whether it is known who holds a name, if anybody."""
        if self._asked is None or key in self._asked.names:
            return True
        return key in self.draft.names or key in self._memory.names

    def state(self, key: StreamKey) -> StreamState | None:
        """A stream's state; None when it has no events."""
        return _newest(key, self.draft.states, self._memory.states, self._snapshot.states)

    def fields_at(self, key: VersionKey) -> Fields | None:
        """A pattern's fields at one of its versions."""
        return _newest(key, self.draft.versions, self._memory.versions, self._snapshot.versions)

    def event_at(self, key: VersionKey) -> PatternEvent | None:
        """The event that made one of a pattern's versions."""
        return _newest(key, self.draft.events, self._memory.events, self._snapshot.events)

    def name_holder(self, key: NameKey) -> str | None:
        """The live pattern that holds a name."""
        return _newest(key, self.draft.names, self._memory.names, self._snapshot.names)

    def log_head(self, team_id: str) -> LogHead:
        """The last link of a team's log."""
        return _newest(team_id, self.draft.logs, self._memory.logs, self._snapshot.logs) or EMPTY_LOG

    def answered(self, key: CommandKey) -> Answered | None:
        """The first outcome of a command."""
        return _newest(key, self.draft.answers, self._memory.answers, self._snapshot.answers)


def _newest(key: K, draft: Mapping[K, V], memory: Overlay[K, V], rows: Mapping[K, V]) -> V | None:
    if key in draft:
        return draft[key]
    return memory[key] if key in memory else rows.get(key)
