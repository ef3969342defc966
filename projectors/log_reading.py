"""Records of one partition, from an offset up to an end that was fixed before."""

from collections.abc import AsyncIterator, Sequence

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaTimeoutError

from events.record import Record
from runtime.kafka import record_of
from runtime.settings import Settings

_RECORDS = 2_000


async def read_records(
    settings: Settings, reader: AIOKafkaConsumer, at: TopicPartition, begin: int, end: int
) -> AsyncIterator[list[Record]]:
    """The records from `begin` on, up to but not with `end`, some at a time.

    Raise `KafkaTimeoutError` when none come, for an end that Kafka holds is reached.
    """
    reader.seek(at, begin)
    while int(await reader.position(at)) < end:
        messages = await _next(settings, reader, at)
        yield [record_of(message) for message in messages if message.offset < end]


async def _next(settings: Settings, reader: AIOKafkaConsumer, at: TopicPartition) -> Sequence[ConsumerRecord]:
    patience = int(settings.kafka_request_timeout_s * 1000)
    found = await reader.getmany(at, timeout_ms=patience, max_records=_RECORDS)
    messages: Sequence[ConsumerRecord] = found.get(at, ())
    if not messages:
        raise KafkaTimeoutError(f"no records of {at.topic} partition {at.partition} came")
    return messages
