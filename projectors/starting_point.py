"""Where a projection starts to read a partition: at its checkpoint, or at the first fence that Kafka has."""

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine

from events.readers_rule import NO_ONE, Standing, fence_offset_of, is_fence_of
from projectors.checkpoints import Checkpoint, create, load
from projectors.errors import NoFenceKnown, WrongLog
from projectors.projection import Projection, Work
from projectors.reader import Bounds, open_reader, read_bounds
from projectors.transaction import transaction
from runtime.kafka import record_of
from runtime.settings import Settings


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

        Raise `WrongLog` when it is another log's, or Kafka does not hold what comes after it; `NoFenceKnown`
        when there is none and nothing to begin with yet.
        """
        at = TopicPartition(self._projection.topic, partition)
        async with open_reader(self._settings, "patternlog-projector", at) as reader:
            bounds = (await read_bounds(reader, at.topic, [partition]))[partition]
            found = await self._load(partition)
            if found is None:
                found = await self._create(partition, await self._first_offset(reader, at, bounds))
            if found.log_id != self._log_id:
                raise WrongLog(
                    f"the checkpoint belongs to the log {found.log_id}, Kafka holds {self._log_id}"
                )
            if not bounds.hold(found.next_offset):
                raise WrongLog(bounds.outside(found.next_offset))
            await self._check_fence(reader, at, bounds, found.standing)
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

    async def _check_fence(
        self, reader: AIOKafkaConsumer, at: TopicPartition, bounds: Bounds, standing: Standing
    ) -> None:
        """A checkpoint of another cluster, as a restored database has it, names a fence that is not here."""
        if standing == NO_ONE or standing.fence_offset < bounds.begin:
            return
        reader.seek(at, standing.fence_offset)
        patience = int(self._settings.kafka_request_timeout_s * 1000)
        found = await reader.getmany(at, timeout_ms=patience, max_records=1)
        if not found:
            raise KafkaTimeoutError(f"offset {standing.fence_offset} of {at.topic} did not come")
        if not is_fence_of(record_of(found[at][0]), standing):
            raise WrongLog("the checkpoint is of another cluster: run `patternlog forget-projections`")

    async def _first_offset(self, reader: AIOKafkaConsumer, at: TopicPartition, bounds: Bounds) -> int:
        if bounds.begin > 0 and not self._projection.may_be_trimmed:
            raise WrongLog(f"the log begins at offset {bounds.begin}: what was before is gone")
        if not self._projection.is_fenced:
            return bounds.begin
        return await find_first_fence(reader, at, bounds)


async def find_first_fence(reader: AIOKafkaConsumer, at: TopicPartition, bounds: Bounds) -> int:
    """The first offset; in mid-log, the first fence that a record which is none leads to.

    Raise `NoFenceKnown` where no record does.
    """
    if bounds.begin == 0:
        return 0
    reader.seek(at, bounds.begin)
    while int(await reader.position(at)) < bounds.end:
        for message in (await reader.getmany(at, timeout_ms=1000)).get(at, ()):
            fence = fence_offset_of(record_of(message))
            if fence is not None and fence >= bounds.begin:
                return fence
    raise NoFenceKnown(f"no record from offset {bounds.begin} on leads to a fence")
