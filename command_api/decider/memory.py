"""A decider's memory of one partition, and the working set of one micro-batch on top of it.

What is not in memory is up to date in Postgres: memory holds all that was set past the highest
checkpoint at which something was evicted. A checkpoint below that voids the memory.
"""

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
)
from events.envelope import FIRST_PREVIOUS_HASH
from events.stream import StreamState

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

_MOST_VERSIONS = 10_000

EMPTY_LOG = LogHead(sequence=0, hash=FIRST_PREVIOUS_HASH)


class CheckpointWentBack(Exception):
    """Postgres is at an earlier state than memory was evicted at: take the partition anew."""


@dataclass(slots=True)
class Draft:
    """What one micro-batch has set; it becomes memory once its appends count."""

    states: dict[StreamKey, StreamState] = field(default_factory=dict)
    versions: dict[VersionKey, Fields] = field(default_factory=dict)
    names: dict[NameKey, str | None] = field(default_factory=dict)
    logs: dict[str, LogHead] = field(default_factory=dict)
    answers: dict[CommandKey, Answered] = field(default_factory=dict)


class Memory:
    """All that was set past the checkpoints at which it was last evicted."""

    def __init__(self) -> None:
        self.states: Overlay[StreamKey, StreamState] = Overlay()
        self.versions: Overlay[VersionKey, Fields] = Overlay()
        self.names: Overlay[NameKey, str | None] = Overlay()
        self.logs: Overlay[str, LogHead] = Overlay()
        self.answers: Overlay[CommandKey, Answered] = Overlay()
        self._heads_evicted_at = 0
        self._outcomes_evicted_at = 0

    def observe(self, snapshot: Snapshot) -> None:
        """Check a snapshot against what was evicted; raise `CheckpointWentBack`."""
        heads, outcomes = snapshot.start.heads.offset, snapshot.start.outcomes.offset
        if heads < self._heads_evicted_at or outcomes < self._outcomes_evicted_at:
            raise CheckpointWentBack(
                f"checkpoints are at {heads} and {outcomes}, memory was evicted at "
                f"{self._heads_evicted_at} and {self._outcomes_evicted_at}"
            )

    def evict(self, snapshot: Snapshot) -> None:
        """Let go of all that the snapshot's checkpoints have passed."""
        self._heads_evicted_at, self._outcomes_evicted_at = (
            snapshot.start.heads.offset,
            snapshot.start.outcomes.offset,
        )
        for overlay in (self.states, self.versions, self.names, self.logs):
            overlay.evict(self._heads_evicted_at)
        self.answers.evict(self._outcomes_evicted_at)

    def keep_events(self, draft: Draft, offset: int) -> None:
        """Keep what events up to and with an offset of [events] have set."""
        self.states.update(draft.states.items(), offset)
        if len(self.versions) > _MOST_VERSIONS:
            # Without its base an edit is a conflict, which is better than a process without memory.
            self.versions = Overlay()
        self.versions.update(draft.versions.items(), offset)
        self.names.update(draft.names.items(), offset)
        self.logs.update(draft.logs.items(), offset)

    def keep_answers(self, draft: Draft, offset: int) -> None:
        """Keep what outcomes up to and with an offset of [outcomes] have answered."""
        self.answers.update(draft.answers.items(), offset)


class WorkingSet:
    """The newest value of each key: from the batch's own draft, else from memory, else from Postgres."""

    def __init__(self, memory: Memory, snapshot: Snapshot) -> None:
        self.draft = Draft()
        self._memory = memory
        self._snapshot = snapshot

    def state(self, key: StreamKey) -> StreamState | None:
        """A stream's state; None when it has no events."""
        return _newest(key, self.draft.states, self._memory.states, self._snapshot.states)

    def fields_at(self, key: VersionKey) -> Fields | None:
        """A pattern's fields at one of its versions."""
        return _newest(key, self.draft.versions, self._memory.versions, self._snapshot.versions)

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
