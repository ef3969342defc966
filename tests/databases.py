"""Databases for one test each."""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
from pydantic import SecretStr
from sqlalchemy import make_url

from runtime.settings import Environment, Settings
from tests.services import Services
from tests.tokens import SEED


@asynccontextmanager
async def fresh_database(services: Services) -> AsyncIterator[str]:
    """The DSN of an empty database, which is dropped at the end whoever is still connected."""
    name = f"test_{uuid.uuid4().hex}"
    await _execute(services, f'CREATE DATABASE "{name}"')
    try:
        url = make_url(services.postgres_dsn).set(database=name)
        yield url.render_as_string(hide_password=False)
    finally:
        await _execute(services, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


async def _execute(services: Services, statement: str) -> None:
    # A connection each: the test in between may restart Postgres.
    owner = await asyncpg.connect(services.postgres_dsn)
    try:
        await owner.execute(statement)
    finally:
        await owner.close()


def settings_for(services: Services, dsn: str) -> Settings:
    """Settings of a development environment on the services, with a log and a database of its own."""
    return Settings(
        environment=Environment.DEVELOPMENT,
        kafka_bootstrap=services.kafka_bootstrap,
        postgres_dsn=SecretStr(dsn),
        redis_url=SecretStr(services.redis_url),
        topic_prefix=f"test-{uuid.uuid4().hex}",
        log_partitions=2,
        port=0,
        token_keys=SecretStr(SEED),
    )


def variables_of(settings: Settings) -> dict[str, object]:
    """What a process is told so that it works on the same log and database as the test."""
    return {
        "kafka_bootstrap": settings.kafka_bootstrap,
        "postgres_dsn": settings.postgres_dsn.get_secret_value(),
        "redis_url": settings.redis_url.get_secret_value(),
        "topic_prefix": settings.topic_prefix,
        "log_partitions": settings.log_partitions,
        "tree_head_keys": settings.tree_head_keys.get_secret_value(),
        "tree_head_s": settings.tree_head_s,
        "token_keys": settings.token_keys.get_secret_value(),
    }
