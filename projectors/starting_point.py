"""Where a projection starts to read a partition: at its checkpoint, or at the first fence that Kafka has."""

from collections.abc import Iterable
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, TopicPartition
from sqlalchemy.ext.asyncio import AsyncEngine

from events.readers_rule import NO_ONE, fence_offset_of
from projectors.checkpoints import Checkpoint, create, load
from projectors.errors import WrongLog
from projectors.projection import Projection, Work
from projectors.transaction import transaction
from runtime.kafka import create_reader, record_of
from runtime.settings import Settings


@dataclass(frozen=True, kw_only=True, slots=True)
class Bounds:
    """What Kafka holds of a partition: from `begin` up to, but not with, `end`."""

    begin: int
    end: int

    def outside(self, offset: int) -> str:
        """What to say of a checkpoint that is not within."""
        return f"the checkpoint is at offset {offset}, Kafka holds {self.begin} to {self.end}"


async def read_bounds(reader: AIOKafkaConsumer, topic: str, partitions: Iterable[int]) -> dict[int, Bounds]:
    """Ask Kafka what it holds of a topic's partitions."""
    places = [TopicPartition(topic, partition) for partition in partitions]
    begins, ends = await reader.beginning_offsets(places), await reader.end_offsets(places)
    return {at.partition: Bounds(begin=begins[at], end=ends[at]) for at in places}


class StartingPoint:
    """Finds a projection's starting points, and writes the first one of each partition."""

    def __init__(
        self, settings: Settings, engine: AsyncEngine, projection: Projection[Work], log_id: str
    ) -> None:
        self._settings = settings
        self._engine = engine
        self._projection = projection
        self._log_id = log_id

    async def find(self, partition: int) -> Checkpoint:
        """The checkpoint, new where the projection never began.

        Raise `WrongLog` when it is another log's, or Kafka does not hold what comes after it.
        """
        at = TopicPartition(self._projection.topic, partition)
        async with create_reader(self._settings, "patternlog-projector", at) as reader:
            bounds = (await read_bounds(reader, at.topic, [partition]))[partition]
            found = await self._load(partition)
            if found is None:
                found = await self._create(partition, await self._first_offset(reader, at, bounds))
        if found.log_id != self._log_id:
            raise WrongLog(f"the checkpoint belongs to the log {found.log_id}, Kafka holds {self._log_id}")
        if not bounds.begin <= found.next_offset <= bounds.end:
            raise WrongLog(bounds.outside(found.next_offset))
        return found

    async def _load(self, partition: int) -> Checkpoint | None:
        async with transaction(self._engine) as pg:
            return await load(pg, self._projection.name, partition)

    async def _create(self, partition: int, offset: int) -> Checkpoint:
        """Write the first checkpoint; if another projector was quicker, its is taken."""
        first = Checkpoint(next_offset=offset, standing=NO_ONE, log_id=self._log_id, void_records=0)
        async with transaction(self._engine) as pg:
            await create(pg, self._projection.name, partition, first)
        return await self._load(partition) or first

    async def _first_offset(self, reader: AIOKafkaConsumer, at: TopicPartition, bounds: Bounds) -> int:
        """The first offset; in mid-log, that of the first fence that a record there stands under."""
        if bounds.begin == 0:
            return 0
        if not self._projection.may_be_trimmed:
            raise WrongLog(f"the log begins at offset {bounds.begin}: what was before is gone")
        reader.seek(at, bounds.begin)
        while int(await reader.position(at)) < bounds.end:
            for message in (await reader.getmany(at, timeout_ms=1000)).get(at, ()):
                fence = fence_offset_of(record_of(message))
                if fence is not None and bounds.begin <= fence <= message.offset:
                    return fence
        raise WrongLog(f"no fence is left from offset {bounds.begin} on")
