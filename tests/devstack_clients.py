"""A few words to each part of a devstack, by ordinary clients."""

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from redis import Redis

from devstack.stack import DevStack


async def make_topic(stack: DevStack, topic: str, copies: int = 1) -> None:
    """A topic with one partition."""
    admin = AIOKafkaAdminClient(bootstrap_servers=stack.kafka_bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(topic, 1, copies)])
    await admin.close()


async def in_sync(stack: DevStack, topic: str) -> set[int]:
    """The brokers that have every record of the topic's partition."""
    admin = AIOKafkaAdminClient(bootstrap_servers=stack.kafka_bootstrap)
    await admin.start()
    (description,) = await admin.describe_topics([topic])
    await admin.close()
    return set(description["partitions"][0]["isr"])


async def send(stack: DevStack, topic: str, value: bytes) -> None:
    """Append a record that all in-sync brokers have acknowledged."""
    producer = AIOKafkaProducer(
        bootstrap_servers=stack.kafka_bootstrap, acks="all", max_request_size=2 * len(value) + 1024 * 1024
    )
    await producer.start()
    await producer.send_and_wait(topic, value)
    await producer.stop()


async def received(stack: DevStack, topic: str) -> list[bytes]:
    """All records of the topic."""
    partition = TopicPartition(topic, 0)
    consumer = AIOKafkaConsumer(bootstrap_servers=stack.kafka_bootstrap, max_partition_fetch_bytes=10_000_000)
    await consumer.start()
    consumer.assign([partition])
    await consumer.seek_to_beginning(partition)
    end = (await consumer.end_offsets([partition]))[partition]
    values: list[bytes] = []
    while await consumer.position(partition) < end:
        values.append((await consumer.getone(partition)).value)
    await consumer.stop()
    return values


async def query(stack: DevStack, statement: str) -> object:
    """The first value of a statement's result."""
    connection = await asyncpg.connect(stack.postgres_dsn)
    value: object = await connection.fetchval(statement)
    await connection.close()
    return value


def remember(stack: DevStack, key: str, value: str) -> None:
    """Set a key in Redis."""
    with Redis.from_url(stack.redis_url) as redis:
        redis.set(key, value)


def recall(stack: DevStack, key: str) -> str | None:
    """Get a key from Redis."""
    with Redis.from_url(stack.redis_url, decode_responses=True) as redis:
        value: str | None = redis.get(key)
    return value
