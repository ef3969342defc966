"""The records of one partition as batches of whole commands, from a checkpoint on."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic

from events.record import Record
from projectors.checkpoints import Checkpoint
from projectors.projection import Projection, W
from projectors.reading import Sifted, pass_all, sift


@dataclass(frozen=True, kw_only=True, slots=True)
class Batch(Generic[W]):
    """What is to be written, the checkpoint after it, and what is held back for the next batch."""

    work: W
    end: Checkpoint
    void: list[Record]
    held_back: list[Record]


class Batches(Generic[W]):
    """Pure: it moves on when it is told that a batch was written."""

    def __init__(self, projection: Projection[W], partition: int, checkpoint: Checkpoint) -> None:
        self.checkpoint = checkpoint
        self._projection = projection
        self._partition = partition
        self._held_back: list[Record] = []

    @property
    def read_to(self) -> int:
        """The next offset that it wants; beyond the checkpoint when it holds part of a command."""
        return self._held_back[-1].offset + 1 if self._held_back else self.checkpoint.next_offset

    def take(self, records: Sequence[Record], before: int | None = None) -> Batch[W]:
        """The batch of the next records, or of those before an offset; raise `Broken`."""
        wanted = [*self._held_back, *records]
        if before is not None:
            wanted = [record for record in wanted if record.offset < before]
        sifted, work = self._sift(wanted)
        if work.held_back is not None:
            sifted, work = self._sift([record for record in wanted if record.offset < work.held_back])
        rest = [record for record in wanted if record.offset >= sifted.end.next_offset]
        return Batch(work=work, end=sifted.end, void=sifted.void, held_back=rest)

    def wrote(self, batch: Batch[W]) -> None:
        """Go on after a batch."""
        self.checkpoint = batch.end
        self._held_back = batch.held_back

    def _sift(self, records: Sequence[Record]) -> tuple[Sifted, W]:
        sifted = (sift if self._projection.is_fenced else pass_all)(self.checkpoint, records)
        return sifted, self._projection.take(self._partition, self.checkpoint.log_id, sifted.counting)
