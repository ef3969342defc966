"""One partition of a projection: each batch is applied exactly once, or not at all.

    batch ─► reader's rule ─► decode, whole commands only ─► one transaction: checkpoint old ─► new
                                                                              heads, evolve, rows

The checkpoint moves first, by compare-and-set, so that nobody else can write this partition's rows in the
meantime; its move and the rows become visible together. What happens to the process, or who else works on
the partition, does not matter: a batch's rows are there if and only if the checkpoint is behind the batch.
"""

from collections.abc import Callable, Sequence

import asyncpg
import stamina
import structlog
from asyncpg import Connection
from sqlalchemy.ext.asyncio import AsyncEngine

from events.record import Record
from projectors.batches import Batch, Batches
from projectors.checkpoints import Checkpoint, advance, end_blocker
from projectors.errors import Broken, Overtaken
from projectors.projection import Projection, Work
from projectors.transaction import is_passing, reason_of, transaction
from runtime.metrics import VOID_RECORDS

_log = structlog.get_logger(__name__)


class PartitionLoop:
    """Applies batches of one partition, from a checkpoint on. `on_trouble` hears why it waits, or None."""

    def __init__(
        self,
        engine: AsyncEngine,
        projection: Projection[Work],
        partition: int,
        checkpoint: Checkpoint,
        on_trouble: Callable[[str | None], None],
    ) -> None:
        self.is_waiting = False
        self.released = False
        self._batches = Batches(projection, partition, checkpoint)
        self._engine = engine
        self._projection = projection
        self._partition = partition
        self._on_trouble = on_trouble

    @property
    def checkpoint(self) -> Checkpoint:
        """The place after the last batch that was written."""
        return self._batches.checkpoint

    @property
    def read_to(self) -> int:
        """The next offset that it wants."""
        return self._batches.read_to

    async def feed(self, records: Sequence[Record]) -> None:
        """Apply the next records of the partition; while Postgres is away, wait for it.

        Raise `Broken` at a record that cannot be applied, when all before it are; `Overtaken` when another
        projector has moved the checkpoint; and what Postgres says of rows that it will never take.
        """
        broken: Broken | None = None
        while True:
            try:
                await self._write(self._batches.take(records, broken.offset if broken else None))
                break
            except Broken as found:
                broken = found
        if broken is not None:
            raise broken

    async def _write(self, batch: Batch[Work]) -> None:
        if batch.end != self.checkpoint:
            await self._commit(batch)
        self._batches.wrote(batch)

    async def _commit(self, batch: Batch[Work]) -> None:
        async for attempt in stamina.retry_context(
            on=self._will_pass, attempts=None, timeout=None, wait_initial=0.05, wait_max=1.0, wait_jitter=0.05
        ):
            with attempt:
                await self._try_commit(batch)
        self.is_waiting = False
        self._on_trouble(None)
        self._report(batch.void)

    async def _try_commit(self, batch: Batch[Work]) -> None:
        try:
            async with transaction(self._engine) as pg:
                await self._advance(pg, batch.end)
                await batch.work.write(pg)
        except asyncpg.LockNotAvailableError:
            await self._end_blocker()
            raise

    async def _advance(self, pg: Connection, end: Checkpoint) -> None:
        if not await advance(pg, self._projection.name, self._partition, self.checkpoint, end):
            raise Overtaken(f"the checkpoint is no longer at offset {self.checkpoint.next_offset}")

    async def _end_blocker(self) -> None:
        async with transaction(self._engine) as pg:
            if await end_blocker(pg, self._projection.name, self._partition):
                _log.warning("ended the session that held the checkpoint", **self._where())

    def _will_pass(self, error: Exception) -> bool:
        if self.released or not is_passing(error):
            return False
        self.is_waiting = True
        self._on_trouble(reason_of(error))
        return True

    def _report(self, void: Sequence[Record]) -> None:
        if void:
            VOID_RECORDS.labels(self._projection.topic, self._partition).inc(len(void))
            first, last = void[0].offset, void[-1].offset
            _log.warning("void records", count=len(void), first=first, last=last, **self._where())

    def _where(self) -> dict[str, object]:
        return {"topic": self._projection.topic, "partition": self._partition}
