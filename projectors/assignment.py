"""The partitions of a projection that the consumer group has given to this process.

Kafka keeps no offsets for a projection: on assignment a partition is paused, its checkpoint is read, and the
consumer is sent there. A batch that is not applied is never passed over: its partition is read again from
the checkpoint or, where that would not help, stays paused with an alarm.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Protocol

import stamina
import structlog
from aiokafka import ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError
from sqlalchemy.ext.asyncio import AsyncEngine

from projectors.checkpoints import Checkpoint, load_offsets
from projectors.errors import Broken, NoFenceKnown, Overtaken, ProjectionError
from projectors.loop import PartitionLoop
from projectors.projection import Projection, Work
from projectors.status import Status
from projectors.transaction import is_passing, reason_of, transaction
from runtime.kafka import record_of
from runtime.metrics import MALFORMED_RECORDS

_log = structlog.get_logger(__name__)

_HAND_OVER_S = 5.0
_AGAIN_AFTER_S = 1.0
# While Postgres works for one partition, Python does for another; more would only hold up heartbeats.
_SIDE_BY_SIDE = 3


class Consumer(Protocol):
    """What an assignment asks of its Kafka consumer."""

    def pause(self, at: TopicPartition) -> None: ...

    def resume(self, at: TopicPartition) -> None: ...

    def seek(self, at: TopicPartition, offset: int) -> None: ...

    def holds(self, at: TopicPartition) -> bool:
        """Whether the partition is assigned to it."""


class Assignment(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka ships no types
    """Opens partitions at their checkpoint, feeds them, and lets go of them."""

    def __init__(
        self,
        engine: AsyncEngine,
        projection: Projection[Work],
        consumer: Consumer,
        find_start: Callable[[int], Awaitable[Checkpoint]],
        status: Status,
        batch: int,
    ) -> None:
        self.is_joined = False
        self.loops: dict[int, PartitionLoop] = {}
        self._consumer = consumer
        self._engine = engine
        self._projection = projection
        self._find_start = find_start
        self._status = status
        self._batch = batch
        self._stopped: set[int] = set()
        self._opening: dict[int, asyncio.Task[None]] = {}
        self._feeding: set[asyncio.Task[None]] = set()
        self._gaps: dict[int, int] = {}
        self._working = asyncio.Semaphore(_SIDE_BY_SIDE)

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        self.is_joined = True
        self._status.say("start", None)
        for at in assigned:
            self._park(at)
            if at.partition not in self._stopped:
                self._opening[at.partition] = asyncio.create_task(self._open(at))

    async def on_partitions_revoked(self, _: Iterable[TopicPartition]) -> None:
        await self.release()

    async def release(self) -> None:
        """Let go of every partition; a batch under way may still end, for a few seconds."""
        self.is_joined = False
        opening = list(self._opening.values())
        for task in opening:
            task.cancel()
        for loop in self.loops.values():
            loop.released = True
        for partition in (*self._opening, *self.loops):
            self._say(partition, None)
        self._opening.clear()
        self.loops.clear()
        self._gaps.clear()
        await asyncio.gather(*opening, return_exceptions=True)
        await self._end_feeding()

    async def _end_feeding(self) -> None:
        if self._feeding:
            _, late = await asyncio.wait(self._feeding, timeout=_HAND_OVER_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def feed(self, batches: Mapping[int, Sequence[ConsumerRecord]]) -> None:
        """Apply what came of each partition, in batches, some partitions side by side."""
        tasks = [asyncio.create_task(self._feed(*batch)) for batch in batches.items()]
        for task in tasks:
            self._feeding.add(task)
            task.add_done_callback(self._feeding.discard)
        await asyncio.gather(*tasks, return_exceptions=True)

    async def check_stored(self) -> None:
        """Begin anew where the stored checkpoint is behind ours: Postgres was restored to an earlier state.

        The next batch would show it too, but on a quiet log that may be long in coming.
        """
        known = [(partition, loop, loop.checkpoint.next_offset) for partition, loop in self.loops.items()]
        async with transaction(self._engine) as pg:
            stored = await load_offsets(pg, self._projection.name)
        for partition, loop, offset in known:
            if stored.get(partition, -1) < offset:
                self._open_again(partition, loop, f"the checkpoint was at {offset}, now it is behind")

    def stop(self, partition: int, error: Exception) -> None:
        """Apply nothing more of a partition until the process is started anew."""
        self._stopped.add(partition)
        if (loop := self.loops.pop(partition, None)) is not None:
            loop.released = True
        self._say(partition, None)
        if isinstance(error, Broken):
            MALFORMED_RECORDS.labels(self._projection.topic).inc()
        if not isinstance(error, ProjectionError):
            _log.error("partition stopped", partition=partition, exc_info=error)
        self._status.alarm(f"partition {partition}", f"{type(error).__name__}: {error}")
        self._park(self._at(partition))

    async def _open(self, at: TopicPartition, wait: float = 0.0) -> None:
        try:
            await asyncio.sleep(wait)
            checkpoint = await self._checkpoint(at)
            self._gaps.pop(at.partition, None)
            self._consumer.seek(at, checkpoint.next_offset)
            self._consumer.resume(at)
        except Exception as error:
            self.stop(at.partition, error)
            return
        finally:
            if self._opening.get(at.partition) is asyncio.current_task():
                del self._opening[at.partition]
        self._say(at.partition, None)
        where = {"topic": at.topic, "partition": at.partition}
        _log.info("partition opened", offset=checkpoint.next_offset, **where)
        say = self._say_of(at.partition)
        self.loops[at.partition] = PartitionLoop(
            self._engine, self._projection, at.partition, checkpoint, say
        )

    async def _checkpoint(self, at: TopicPartition) -> Checkpoint:
        async for attempt in stamina.retry_context(
            on=lambda error: self._will_pass(at.partition, error),
            attempts=None, timeout=None, wait_initial=0.05, wait_max=1.0, wait_jitter=0.05,
        ):  # fmt: skip
            with attempt:
                return await self._find_start(at.partition)
        raise AssertionError("it tries until it has it")

    async def _feed(self, partition: int, messages: Sequence[ConsumerRecord]) -> None:
        loop = self.loops.get(partition)
        if loop is None or self._is_ahead(partition, loop, messages[0].offset):
            return
        try:
            for start in range(0, len(messages), self._batch):
                async with self._working:
                    if loop.released:
                        return
                    await loop.feed([record_of(one) for one in messages[start : start + self._batch]])
        except Overtaken as error:
            self._open_again(partition, loop, str(error))
        except Exception as error:
            if not loop.released:
                self.stop(partition, error)

    def _is_ahead(self, partition: int, loop: PartitionLoop, offset: int) -> bool:
        """Whether records are missing before an offset. If Kafka gives the same again, there are none."""
        if offset <= loop.read_to or self._gaps.get(partition) == offset:
            return False
        where = {"topic": self._projection.topic, "partition": partition}
        _log.warning("records are missing, reading again", since=loop.read_to, before=offset, **where)
        self._gaps[partition] = offset
        self._consumer.seek(self._at(partition), loop.read_to)
        return True

    def _open_again(self, partition: int, loop: PartitionLoop, reason: str) -> None:
        if self.loops.get(partition) is not loop:
            return
        _log.warning("partition is opened again", partition=partition, reason=reason)
        self._say(partition, reason)
        loop.released = True
        del self.loops[partition]
        at = self._at(partition)
        self._park(at)
        self._opening[partition] = asyncio.create_task(self._open(at, _AGAIN_AFTER_S))

    def _park(self, at: TopicPartition) -> None:
        """Fetch nothing. Any position will do, but without one aiokafka asks for a committed offset."""
        if self._consumer.holds(at):
            self._consumer.pause(at)
            self._consumer.seek(at, 0)

    def _at(self, partition: int) -> TopicPartition:
        return TopicPartition(self._projection.topic, partition)

    def _will_pass(self, partition: int, error: Exception) -> bool:
        match error:
            case NoFenceKnown():
                self._say(partition, str(error))
            case KafkaError():
                self._say(partition, f"kafka: {error}")
            case _ if is_passing(error):
                self._say(partition, reason_of(error))
            case _:
                return False
        return True

    def _say(self, partition: int, reason: str | None) -> None:
        self._status.say(f"partition {partition}", reason)

    def _say_of(self, partition: int) -> Callable[[str | None], None]:
        return lambda reason: self._say(partition, reason)
