"""A projection's consumer: FastStream's batches of raw records, handed to the partitions they belong to."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, cast

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from faststream import AckPolicy
from faststream.kafka import KafkaBroker, KafkaMessage
from faststream.kafka.message import FAKE_CONSUMER, KafkaAckableMessage
from sqlalchemy.ext.asyncio import AsyncEngine

from projectors.assignment import Assignment
from projectors.checkpoints import Checkpoint
from projectors.projection import Projection, Work
from projectors.status import Status
from runtime.kafka import client_options, member_options
from runtime.settings import Settings

# A poll that found nothing is followed by a pause of the same length, so this bounds what it adds to latency.
_POLL_MS = 5
# A partition whose batch took long waits for the fetch that the others' idleness holds at the broker.
_FETCH_MS = 50
# What comes within a pause after a small batch shares the next transaction; a quiet log is not held up by it.
_PAUSE_S = 0.01
_MANY = 200
# Each partition gets a share of a fetch, so that several are written side by side; a larger record comes too.
_PARTITION_BYTES = 2 * 1024 * 1024
_FETCH_BYTES = 16 * 1024 * 1024


def create_broker(settings: Settings) -> KafkaBroker:
    """FastStream's broker, which makes consumers only; what it says per batch and start is of no interest."""
    logger = logging.getLogger("faststream")
    logger.setLevel(logging.ERROR)
    servers = settings.kafka_bootstrap.split(",")
    return KafkaBroker(
        **client_options(settings) | {"bootstrap_servers": servers},
        client_id="patternlog-projector",
        consumer_only=True,
        allow_auto_create_topics=False,
        graceful_timeout=settings.shutdown_s,
        apply_types=False,
        logger=logger,
    )


class Subscription:
    """One projection's consumer in its group; Kafka keeps no offsets for it."""

    def __init__(
        self,
        broker: KafkaBroker,
        settings: Settings,
        engine: AsyncEngine,
        projection: Projection[Work],
        find_start: Callable[[int], Awaitable[Checkpoint]],
        status: Status,
        name: str,
    ) -> None:
        self.assignment = Assignment(engine, projection, self, find_start, status, settings.projector_batch)
        self.projection = projection
        self.name = name
        self.status = status
        self._subscriber = broker.subscriber(
            projection.topic,
            **member_options(settings),
            batch=True,
            group_id=f"{settings.topic_prefix}.projector.{name}",
            listener=self.assignment,
            ack_policy=AckPolicy.MANUAL,
            auto_offset_reset="none",
            max_partition_fetch_bytes=_PARTITION_BYTES,
            fetch_max_bytes=_FETCH_BYTES,
            batch_timeout_ms=_POLL_MS,
            fetch_max_wait_ms=_FETCH_MS,
            parser=_raw_message,
            decoder=_raw_records,
            no_reply=True,
        )
        self._subscriber(self._handle)

    async def restart(self) -> None:
        """Leave the group and join it anew with another consumer."""
        await self.assignment.release()
        await self._subscriber.stop()
        # It may have been given partitions while it stopped.
        await self.assignment.release()
        await self._subscriber.start()

    def pause(self, at: TopicPartition) -> None:
        self._consumer.pause(at)

    def resume(self, at: TopicPartition) -> None:
        self._consumer.resume(at)

    def seek(self, at: TopicPartition, offset: int) -> None:
        self._consumer.seek(at, offset)

    def holds(self, at: TopicPartition) -> bool:
        return at in self._consumer.assignment()

    def last_poll_ms(self, partition: int) -> int | None:
        """When Kafka last answered a fetch for a partition, in milliseconds since 1970."""
        at = TopicPartition(self.projection.topic, partition)
        found: int | None = self._consumer.last_poll_timestamp(at)
        return found

    @property
    def _consumer(self) -> AIOKafkaConsumer:
        return cast(AIOKafkaConsumer, self._subscriber.consumer)

    async def _handle(self, messages: Any) -> None:
        batches: dict[int, list[ConsumerRecord]] = {}
        for message in messages:
            batches.setdefault(message.partition, []).append(message)
        await self.assignment.feed(batches)
        if len(messages) < _MANY:
            await asyncio.sleep(_PAUSE_S)


async def _raw_message(messages: Any) -> KafkaMessage:
    return KafkaAckableMessage(raw_message=messages, body=b"", consumer=FAKE_CONSUMER)


async def _raw_records(message: KafkaMessage) -> Any:
    return message.raw_message
