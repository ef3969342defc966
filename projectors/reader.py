"""Readers of the log outside any group, and what Kafka holds of it."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, TopicPartition

from runtime.kafka import create_reader
from runtime.settings import Settings


@dataclass(frozen=True, kw_only=True, slots=True)
class Bounds:
    """What Kafka holds of a partition: from `begin` up to, but not with, `end`."""

    begin: int
    end: int

    def hold(self, offset: int) -> bool:
        """Whether reading can go on at an offset."""
        return self.begin <= offset <= self.end

    def outside(self, offset: int) -> str:
        """What to say of a checkpoint that they do not hold."""
        return f"the checkpoint is at offset {offset}, Kafka holds {self.begin} to {self.end}"


@asynccontextmanager
async def open_reader(
    settings: Settings, client_id: str, *partitions: TopicPartition
) -> AsyncIterator[AIOKafkaConsumer]:
    """A reader that is closed in the end, also when it is cancelled before it has started."""
    reader = create_reader(settings, client_id, *partitions)
    try:
        await reader.start()
        yield reader
    finally:
        await reader.stop()


async def read_bounds(reader: AIOKafkaConsumer, topic: str, partitions: Iterable[int]) -> dict[int, Bounds]:
    """Ask Kafka what it holds of a topic's partitions."""
    places = [TopicPartition(topic, partition) for partition in partitions]
    begins, ends = await reader.beginning_offsets(places), await reader.end_offsets(places)
    return {at.partition: Bounds(begin=begins[at], end=ends[at]) for at in places}
