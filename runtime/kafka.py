"""Kafka: how every process makes its clients, and records as the project sees them."""

from collections.abc import Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition

from events.record import NewRecord, Record, headers_of
from runtime.settings import Settings

MAX_BATCH_BYTES = 8 * 1024 * 1024
"""max.message.bytes of every topic of the log."""


def record_of(message: ConsumerRecord) -> Record:
    """A consumed message as the project's own record."""
    return Record(
        partition=message.partition,
        offset=message.offset,
        timestamp_ms=message.timestamp,
        key=message.key,
        value=message.value,
        headers=headers_of(message.headers),
    )


def client_options(settings: Settings) -> dict[str, Any]:
    """Options that every Kafka client has in common."""
    return {
        "bootstrap_servers": settings.kafka_bootstrap,
        "request_timeout_ms": int(settings.kafka_request_timeout_s * 1000),
    }


def member_options(settings: Settings) -> dict[str, Any]:
    """Options of every member of a consumer group."""
    session_ms = int(settings.group_session_timeout_s * 1000)
    return {"session_timeout_ms": session_ms, "heartbeat_interval_ms": session_ms // 4}


def create_producer(settings: Settings, client_id: str) -> AIOKafkaProducer:
    """An idempotent producer that waits for all in-sync replicas."""
    return AIOKafkaProducer(
        **client_options(settings),
        client_id=client_id,
        acks="all",
        enable_idempotence=True,
        max_batch_size=MAX_BATCH_BYTES,
        max_request_size=MAX_BATCH_BYTES + 1024 * 1024,
    )


def create_reader(settings: Settings, client_id: str, *partitions: TopicPartition) -> AIOKafkaConsumer:
    """A consumer outside any group, assigned to partitions; it never guesses a position."""
    reader = AIOKafkaConsumer(
        **client_options(settings),
        client_id=client_id,
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="none",
        max_partition_fetch_bytes=MAX_BATCH_BYTES + 1024 * 1024,
    )
    reader.assign(partitions)
    return reader


async def append_batch(
    producer: AIOKafkaProducer, topic: str, partition: int, records: Sequence[NewRecord]
) -> int:
    """Append records as one record batch, which Kafka takes whole or not at all.

    Return the base offset that the broker gave; -1 when it acknowledged without one.
    """
    batch = producer.create_batch()
    for record in records:
        headers = list(record.headers.items())
        if batch.append(key=record.key, value=record.value, timestamp=None, headers=headers) is None:
            raise ValueError(f"{len(records)} records do not fit into one batch of {MAX_BATCH_BYTES} bytes")
    sent = await producer.send_batch(batch, topic, partition=partition)
    return int((await sent).offset)


async def drop(producer: AIOKafkaProducer) -> None:
    """Close a producer's connections without flushing: what it had under way is of unknown fate.

    Its own stop() waits until every batch is answered, which may be never.
    """
    producer._closed = True  # noqa: SLF001  (aiokafka has no way to close without flushing)
    await producer.client.close()
    await producer._sender.close()  # noqa: SLF001
