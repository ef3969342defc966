"""The services that tests run on are the real ones."""

import asyncpg
from aiokafka.admin import AIOKafkaAdminClient
from redis.asyncio import Redis

from tests.services import Services


async def test_kafka_answers(services: Services) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=services.kafka_bootstrap)
    await admin.start()
    try:
        cluster = await admin.describe_cluster()
    finally:
        await admin.close()
    assert cluster["brokers"]


async def test_postgres_answers_and_is_no_older_than_we_support(services: Services) -> None:
    connection = await asyncpg.connect(services.postgres_dsn)
    try:
        assert connection.get_server_version().major >= 15
    finally:
        await connection.close()


async def test_redis_answers(services: Services) -> None:
    async with Redis.from_url(services.redis_url) as redis:
        assert await redis.ping()
