"""Logs that are not as they were written."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiokafka import TopicPartition

from events.record import NewRecord
from projectors.log_reading import read_records
from projectors.reader import open_reader, read_bounds
from runtime import log_setup
from runtime.settings import Settings
from runtime.topics import Topics
from tests.projecting import append
from tests.scribe import new_records

Tamper = Callable[[list[NewRecord]], list[NewRecord]]


async def records_of(settings: Settings, topic: str, partition: int) -> list[NewRecord]:
    """All that Kafka holds of a partition."""
    at = TopicPartition(topic, partition)
    async with open_reader(settings, "test", at) as reader:
        bounds = (await read_bounds(reader, topic, [partition]))[partition]
        found = read_records(settings, reader, at, bounds.begin, bounds.end)
        return [record async for records in found for record in new_records(records)]


@asynccontextmanager
async def tampered_log(settings: Settings, prefix: str, tamper: Tamper) -> AsyncIterator[Settings]:
    """The same database beside a copy of the log, the first partition of whose [events] was tampered with."""
    copy = settings.model_copy(update={"topic_prefix": prefix})
    await log_setup.create_topics(copy)
    old, new = Topics(settings.topic_prefix), Topics(prefix)
    for partition in range(settings.log_partitions):
        events = await records_of(settings, old.events, partition)
        await append(copy, new.events, partition, tamper(events) if partition == 0 else events)
        await append(copy, new.outcomes, partition, await records_of(settings, old.outcomes, partition))
    yield copy
