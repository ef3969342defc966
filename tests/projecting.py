"""Projectors on a log and a database of their own."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from fastapi import FastAPI
from pydantic import SecretStr
from sqlalchemy import make_url

from events.outcome import Outcome, encode
from events.record import NewRecord
from migrations.run import upgrade
from projectors.part import projector_part
from runtime.health import Health
from runtime.kafka import append_batch, client_options, create_producer
from runtime.log_setup import check_log, create_log
from runtime.secrets.reloading import SettingsSource
from runtime.settings import Settings
from runtime.topics import Topics
from runtime.workers import Workers
from tests.databases import fresh_database, settings_for
from tests.scribe import RECORDED_AT, Scribe, new_records
from tests.services import Services

LIBRARY, OUTCOMES = "library", "outcomes"
_BATCH = 500


@asynccontextmanager
async def fresh_log(services: Services, **other: Any) -> AsyncIterator[Settings]:
    """Settings of a log with its first fences and marks, and of a migrated database."""
    async with fresh_database(services) as dsn:
        settings = settings_for(services, dsn).model_copy(update=other)
        await migrated(settings)
        await create_log(settings)
        yield settings


@asynccontextmanager
async def lasting_log(services: Services, **other: Any) -> AsyncIterator[Settings]:
    """The same where Postgres may die meanwhile: the database goes with its server."""
    name = f"test_{uuid.uuid4().hex}"
    owner = await asyncpg.connect(services.postgres_dsn)
    await owner.execute(f'CREATE DATABASE "{name}"')
    await owner.close()
    dsn = make_url(services.postgres_dsn).set(database=name).render_as_string(hide_password=False)
    settings = settings_for(services, dsn).model_copy(update=other)
    await migrated(settings)
    await create_log(settings)
    yield settings


@asynccontextmanager
async def copied_database(settings: Settings) -> AsyncIterator[Settings]:
    """The same log with a copy of the database, which no one may be connected to."""
    url = make_url(settings.postgres_dsn.get_secret_value())
    copy = f"test_{uuid.uuid4().hex}"
    owner = await asyncpg.connect(url.set(database="postgres").render_as_string(hide_password=False))
    try:
        await owner.execute(f'CREATE DATABASE "{copy}" TEMPLATE "{url.database}"')
        dsn = SecretStr(url.set(database=copy).render_as_string(hide_password=False))
        yield settings.model_copy(update={"postgres_dsn": dsn})
    finally:
        await owner.execute(f'DROP DATABASE IF EXISTS "{copy}" WITH (FORCE)')
        await owner.close()


async def migrated(settings: Settings) -> None:
    """Give the database its tables."""
    await upgrade(settings)


@asynccontextmanager
async def projecting(settings: Settings) -> AsyncIterator[Health]:
    """A projector in this process, until the block ends; fails when one of its workers did."""
    app = FastAPI()
    app.state.workers = workers = Workers()
    app.state.settings_source = SettingsSource(settings)
    health = Health()
    async with projector_part(app, settings, health):
        yield health
        workers.stopping = True
    await workers.stop()
    assert not workers.failed.is_set()


class TopicLog:
    """A partition of a topic, written to by a scribe: `publish` appends what it has written since."""

    def __init__(
        self, settings: Settings, topic: str, log_id: str, partition: int, first_offset: int
    ) -> None:
        self.scribe = Scribe(partition=partition, log_id=log_id, first_offset=first_offset, seed=partition)
        self._settings = settings
        self._topic = topic
        self._partition = partition
        self._published = 0

    async def publish(self) -> int:
        """Append to Kafka; the topic's end after it."""
        left = new_records(self.scribe.records[self._published :])
        await append(self._settings, self._topic, self._partition, left)
        self._published += len(left)
        return self.scribe.next_offset


async def events_log(settings: Settings, partition: int = 0) -> TopicLog:
    """[events] after its first fence, taken by a decider of ours."""
    log_id = (await check_log(settings)).log_id
    log = TopicLog(settings, Topics(settings.topic_prefix).events, log_id, partition, first_offset=1)
    log.scribe.fence(term=2)
    return log


async def outcomes_log(settings: Settings) -> TopicLog:
    """Partition 0 of [outcomes] after its first fence and mark, taken by a decider of ours."""
    log_id = (await check_log(settings)).log_id
    log = TopicLog(settings, Topics(settings.topic_prefix).outcomes, log_id, 0, first_offset=2)
    log.scribe.fence(term=2)
    return log


def answer(log: Scribe, **other: Any) -> Outcome:
    """Write the outcome of a command; `other` replaces what it says."""
    facts: dict[str, Any] = {
        "log_id": log.log_id,
        "team_id": log.new_id(),
        "command_id": log.new_id(),
        "command_hash": "h",
        "recorded_at": RECORDED_AT,
        "status": "accepted",
        "answer": {"version": 1},
        **other,
    }
    outcome = Outcome(**facts)
    log.counting(encode(outcome, command_offset=log.next_offset, events_end=5))
    return outcome


async def append(settings: Settings, topic: str, partition: int, records: Sequence[NewRecord]) -> None:
    """Append records in batches."""
    async with create_producer(settings, "test") as producer:
        for start in range(0, len(records), _BATCH):
            await append_batch(producer, topic, partition, records[start : start + _BATCH])


async def trim(settings: Settings, topic: str, before: int, partition: int = 0) -> None:
    """Remove the records of a partition before an offset, as retention does."""
    admin = AIOKafkaAdminClient(**client_options(settings))
    await admin.start()
    try:
        await admin.delete_records({TopicPartition(topic, partition): RecordsToDelete(before_offset=before)})
    finally:
        await admin.close()


async def fetch(settings: Settings, statement: str, *arguments: Any) -> list[tuple[Any, ...]]:
    """Run a statement and return its rows."""
    pg = await asyncpg.connect(settings.postgres_dsn.get_secret_value())
    try:
        return [tuple(row) for row in await pg.fetch(statement, *arguments)]
    finally:
        await pg.close()


async def next_offset(settings: Settings, projection: str = LIBRARY, partition: int = 0) -> int:
    """Where a checkpoint is; -1 when there is none."""
    rows = await fetch(
        settings,
        "SELECT next_offset FROM checkpoints WHERE projection = $1 AND partition = $2",
        projection,
        partition,
    )
    return int(rows[0][0]) if rows else -1


async def caught_up(settings: Settings, offset: int, projection: str = LIBRARY, partition: int = 0) -> None:
    """Wait until a checkpoint is at an offset, and fail if it is ever beyond."""

    async def is_there() -> bool:
        found = await next_offset(settings, projection, partition)
        assert found <= offset
        return found == offset

    await until(is_there)


async def until(condition: Callable[[], Awaitable[bool]], within: float = 60.0) -> None:
    """Wait until a condition holds; fail if it does not within so many seconds."""
    deadline = time.monotonic() + within
    while not await condition():
        assert time.monotonic() < deadline, "it did not come true"
        await asyncio.sleep(0.02)
