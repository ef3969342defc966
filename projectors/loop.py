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
from projectors.checkpoints import Checkpoint, advance, end_blocker
from projectors.errors import Broken, Overtaken
from projectors.projection import Projection, Work
from projectors.reading import Sifted, sift
from projectors.transaction import is_passing, transaction
from runtime.metrics import VOID_RECORDS

_log = structlog.get_logger(__name__)


class PartitionLoop:
    """Applies batches of one partition, from a checkpoint on. `on_trouble` hears why it waits, or None."""

    def __init__(
        self,
        engine: AsyncEngine,
        projection: Projection,
        partition: int,
        checkpoint: Checkpoint,
        on_trouble: Callable[[str | None], None],
    ) -> None:
        self.checkpoint = checkpoint
        self.is_waiting = False
        self.released = False
        self._engine = engine
        self._projection = projection
        self._partition = partition
        self._on_trouble = on_trouble
        self._held_back: list[Record] = []

    @property
    def read_to(self) -> int:
        """The next offset that it wants; beyond the checkpoint when it holds part of a command."""
        return self._held_back[-1].offset + 1 if self._held_back else self.checkpoint.next_offset

    async def feed(self, records: Sequence[Record]) -> None:
        """Apply the next records of the partition; while Postgres is away, wait for it.

        Raise `Broken` at a record that cannot be applied, when all before it are; `Overtaken` when another
        projector has moved the checkpoint; and what Postgres says of rows that it will never take.
        """
        left = [*self._held_back, *records]
        broken: Broken | None = None
        while True:
            try:
                await self._apply(left)
                break
            except Broken as found:
                broken = found
                left = [record for record in left if record.offset < found.offset]
        if broken is not None:
            raise broken

    async def _apply(self, records: list[Record]) -> None:
        sifted, work = self._take(records)
        held_back = work.held_back
        if held_back is not None:
            sifted, work = self._take([record for record in records if record.offset < held_back])
        if sifted.end != self.checkpoint:
            await self._commit(sifted, work)
        self._held_back = [record for record in records if record.offset >= sifted.end.next_offset]

    def _take(self, records: Sequence[Record]) -> tuple[Sifted, Work]:
        sifted = sift(self.checkpoint, records)
        return sifted, self._projection.take(self._partition, self.checkpoint.log_id, sifted.counting)

    async def _commit(self, sifted: Sifted, work: Work) -> None:
        async for attempt in stamina.retry_context(
            on=self._will_pass, attempts=None, timeout=None, wait_initial=0.05, wait_max=1.0, wait_jitter=0.05
        ):
            with attempt:
                await self._write(sifted.end, work)
        self.is_waiting = False
        self._on_trouble(None)
        self.checkpoint = sifted.end
        self._report(sifted.void)

    async def _write(self, end: Checkpoint, work: Work) -> None:
        try:
            async with transaction(self._engine) as pg:
                await self._advance(pg, end)
                await work.write(pg)
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
        self._on_trouble(f"postgres: {error or type(error).__name__}")
        return True

    def _report(self, void: Sequence[Record]) -> None:
        if void:
            VOID_RECORDS.labels(self._projection.topic, self._partition).inc(len(void))
            first, last = void[0].offset, void[-1].offset
            _log.warning("void records", count=len(void), first=first, last=last, **self._where())

    def _where(self) -> dict[str, object]:
        return {"topic": self._projection.topic, "partition": self._partition}
