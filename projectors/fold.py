"""The whole of [events] folded in memory, as if it were one batch."""

from collections.abc import Sequence
from datetime import datetime

from events.record import Record
from events.stream import StreamState
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


class Fold:
    """What the log says: the rows of every read model but history, whose rows are handed out on the way."""

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
        self.events = 0
        self.void_records = 0

    def apply(self, work: LibraryWork) -> list[Row]:
        """Take a batch; return its rows of history. Raise `Broken` where a projector would."""
        steps = follow(work.entries, self.logs, self.states)
        history = History(self.latest)
        show(steps, (self.heads, self.names, self.patterns, self.changes, self.conflicts, history))
        for step in steps:
            self.sequences[step.envelope.team_id, step.envelope.stream] = step.envelope.sequence
        self.events += len(steps)
        return history.added()


class PartitionFold:
    """One partition of it, read from the beginning."""

    def __init__(self, fold: Fold, library: Library, partition: int, beginning: Checkpoint) -> None:
        self._fold = fold
        self._batches: Batches[LibraryWork] = Batches(library, partition, beginning)

    @property
    def reached(self) -> Checkpoint:
        """The checkpoint after what was read so far."""
        return self._batches.checkpoint

    def read(self, records: Sequence[Record]) -> list[Row]:
        """Take the next records; return the rows of history they make."""
        batch = self._batches.take(records)
        rows = self._fold.apply(batch.work)
        self._fold.void_records += len(batch.void)
        self._batches.wrote(batch)
        return rows
