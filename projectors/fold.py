"""The whole of [events] folded in memory, as if it were one batch."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from events.record import Record
from events.stream import StreamState
from projectors.audit import Audit
from projectors.batches import Batches
from projectors.chain import StreamKey, TeamLog, follow
from projectors.changes import Changes
from projectors.checkpoints import Checkpoint
from projectors.conflicts import Conflicts
from projectors.heads import Heads, Names
from projectors.history import History
from projectors.library import Library, LibraryWork, show
from projectors.patterns import Patterns
from projectors.rows import Row


@dataclass(frozen=True, kw_only=True, slots=True)
class Grown:
    """The rows of a batch in the tables that only ever grow."""

    history: list[Row]
    audit: list[Row]


class Fold:
    """What the log says: rows of every read model; of those that only grow they are handed out on the way."""

    def __init__(self) -> None:
        self.heads = Heads()
        self.names = Names()
        self.patterns = Patterns()
        self.changes = Changes()
        self.conflicts = Conflicts()
        self.logs: dict[str, TeamLog] = {}
        self.states: dict[StreamKey, StreamState] = {}
        self.sequences: dict[StreamKey, int] = {}
        self.latest: dict[str, datetime] = {}
        self.audit_latest: dict[str, datetime] = {}
        self.events = 0
        self.void_records = 0

    def apply(self, work: LibraryWork) -> Grown:
        """Take a batch. Raise `Broken` where a projector would."""
        steps = follow(work.entries, self.logs, self.states)
        history, audit = History(self.latest), Audit(self.audit_latest)
        show(steps, (self.heads, self.names, self.patterns, self.changes, self.conflicts, history, audit))
        for step in steps:
            self.sequences[step.envelope.team_id, step.envelope.stream] = step.envelope.sequence
        self.events += len(steps)
        return Grown(history=history.added(), audit=audit.added())


class PartitionFold:
    """One partition of it, read from the beginning."""

    def __init__(self, fold: Fold, library: Library, partition: int, beginning: Checkpoint) -> None:
        self._fold = fold
        self._batches: Batches[LibraryWork] = Batches(library, partition, beginning)

    @property
    def reached(self) -> Checkpoint:
        """The checkpoint after what was read so far."""
        return self._batches.checkpoint

    def read(self, records: Sequence[Record]) -> Grown:
        """Take the next records; return what they add to the tables that only grow."""
        batch = self._batches.take(records)
        rows = self._fold.apply(batch.work)
        self._fold.void_records += len(batch.void)
        self._batches.wrote(batch)
        return rows
