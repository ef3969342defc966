"""One partition of [events] and [outcomes] on Kafka."""

import asyncio
from collections.abc import Sequence

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError

from command_api.decider.partition_io import Bounds, Topic, UnknownFate
from events.record import NewRecord, Record
from runtime.kafka import append_batch, create_producer, create_reader, drop, record_of
from runtime.settings import Settings
from runtime.topics import Topics


class KafkaPartition:
    """A `PartitionIO` with a producer of its own, so that an unknown fate concerns this partition alone."""

    def __init__(self, settings: Settings, partition: int, writer: str) -> None:
        topics = Topics(settings.topic_prefix)
        self._timeout_s = settings.append_timeout_s
        self._at = {
            Topic.EVENTS: TopicPartition(topics.events, partition),
            Topic.OUTCOMES: TopicPartition(topics.outcomes, partition),
        }
        self._producer: AIOKafkaProducer = create_producer(settings, writer)
        self._reader: AIOKafkaConsumer = create_reader(settings, writer, *self._at.values())

    async def start(self) -> None:
        """Connect; raise `KafkaError` or `TimeoutError` when Kafka is away."""
        async with asyncio.timeout(self._timeout_s):
            await self._reader.start()
            self._reader.pause(*self._at.values())
            await self._producer.start()

    async def bounds(self, topic: Topic) -> Bounds:
        at = self._at[topic]
        begin = await self._reader.beginning_offsets([at])
        end = await self._reader.end_offsets([at])
        return Bounds(begin=begin[at], end=end[at])

    async def append(self, topic: Topic, records: Sequence[NewRecord]) -> int:
        at = self._at[topic]
        try:
            async with asyncio.timeout(self._timeout_s):
                base = await append_batch(self._producer, at.topic, at.partition, records)
        except (KafkaError, TimeoutError) as error:
            raise UnknownFate(f"{topic.value}: {error!r}") from error
        if base < 0:
            raise UnknownFate(f"{topic.value}: acknowledged without an offset")
        return base

    async def read(self, topic: Topic, start: int, end: int) -> list[Record]:
        at = self._at[topic]
        records: list[Record] = []
        self._reader.seek(at, start)
        self._reader.resume(at)
        try:
            async with asyncio.timeout(self._timeout_s) as limit:
                while start + len(records) < end:
                    found = await self._reader.getmany(at, timeout_ms=1000)
                    records += map(record_of, found.get(at, ()))
                    if found:
                        # A long tail takes its time; only a standstill is a failure.
                        limit.reschedule(asyncio.get_running_loop().time() + self._timeout_s)
        finally:
            self._reader.pause(at)
        return records[: end - start]

    async def drop(self) -> None:
        await drop(self._producer)
        await self._reader.stop()
