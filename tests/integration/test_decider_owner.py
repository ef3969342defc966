"""Owners of one partition on real Kafka and Postgres, with commands straight into the topic."""

import asyncio
import json
import secrets
import time
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from sqlalchemy.ext.asyncio import AsyncEngine

from command_api.decider.owner import PartitionOwner
from command_api.decider.requests import PartitionIdentity
from events.identifiers import uuid7
from events.record import NewRecord, Record
from migrations.run import upgrade
from runtime.health import Health
from runtime.kafka import append_batch, create_producer, create_reader, record_of
from runtime.log_setup import LogIdentity, create_log
from runtime.postgres import create_engine
from runtime.settings import Settings
from runtime.topics import Topics
from tests.databases import fresh_database, settings_for
from tests.faults.history import History, read_all, read_history
from tests.services import Services
from tests.waiting import eventually

TEAM = "0198c0de-0000-7000-8000-00000000000a"


class AssignedCommands:
    """Commands of one partition, outside any group: nobody keeps two owners apart."""

    def __init__(self, reader: AIOKafkaConsumer, at: TopicPartition) -> None:
        self._reader = reader
        self._at = at

    def seek(self, offset: int) -> None:
        self._reader.seek(self._at, offset)

    async def fetch(self, most: int) -> Sequence[Record]:
        found = await self._reader.getmany(self._at, timeout_ms=100, max_records=most)
        return [record_of(message) for message in found.get(self._at, ())]


@dataclass
class Bench:
    """One partition, and as many owners of it as a test wants."""

    settings: Settings
    identity: LogIdentity
    engine: AsyncEngine
    owners: list[tuple[PartitionOwner, asyncio.Task[None], AIOKafkaConsumer]] = field(default_factory=list)

    async def own(self) -> Health:
        """Start an owner; its health says what it says."""
        at = TopicPartition(Topics(self.settings.topic_prefix).commands, 0)
        reader = create_reader(self.settings, "test", at)
        await reader.start()
        reader.seek(at, 0)
        health = Health()
        here = PartitionIdentity(log_id=self.identity.log_id, partition=0, partitions=1)
        owner = PartitionOwner(self.settings, self.engine, health, AssignedCommands(reader, at), here)
        self.owners.append((owner, asyncio.create_task(owner.run()), reader))
        return health

    async def send(self, *commands: dict[str, Any] | bytes) -> None:
        """Append records to [commands]."""
        await self.append(
            Topics(self.settings.topic_prefix).commands,
            *(
                NewRecord(
                    key=TEAM.encode(),
                    value=command if isinstance(command, bytes) else json.dumps(command).encode(),
                    headers={"actor": b"ann", "request_id": b"r"},
                )
                for command in commands
            ),
        )

    async def append(self, topic: str, *records: NewRecord) -> None:
        async with create_producer(self.settings, "test") as producer:
            await append_batch(producer, topic, 0, records)

    async def answered(self, count: int) -> History:
        """What the topics hold once that many commands have an outcome."""

        async def are_answered() -> bool:
            return len((await read_history(self.settings)).outcomes) >= count

        await eventually(are_answered)
        return await read_history(self.settings)

    async def stop(self) -> None:
        for owner, task, reader in self.owners:
            owner.stop()
            await task
            await reader.stop()


@pytest.fixture
async def bench(services: Services) -> AsyncIterator[Bench]:
    async with _bench(services) as made:
        yield made


@asynccontextmanager
async def _bench(services: Services) -> AsyncIterator[Bench]:
    async with fresh_database(services) as dsn:
        settings = settings_for(services, dsn).model_copy(update={"log_partitions": 1})
        await upgrade(settings)
        engine = create_engine(settings, "test")
        made = Bench(settings, await create_log(settings), engine)
        try:
            yield made
        finally:
            await made.stop()
            await engine.dispose()


def now_id() -> str:
    return uuid7(int(time.time() * 1000), secrets.token_bytes(10))


def create_team() -> dict[str, Any]:
    return {"type": "create_team", "command_id": now_id(), "name": "Team"}


def record_pattern(name: str) -> dict[str, Any]:
    return {
        "type": "record_pattern",
        "command_id": now_id(),
        "pattern_id": str(uuid.uuid4()),
        "fields": {"name": name},
    }


async def test_two_owners_of_one_partition_answer_each_command_once(bench: Bench) -> None:
    await bench.own()
    await bench.own()
    await bench.send(create_team())
    for number in range(20):
        # Two of each name: were both owners to decide, both would be accepted.
        await bench.send(record_pattern(f"name {number}"), record_pattern(f"name {number}"))
    history = await bench.answered(41)
    history.check({})
    statuses = [answer.status for _, answer in history.outcomes]
    assert statuses.count("accepted") == 21
    assert statuses.count("rejected") == 20


async def test_the_same_record_delivered_twice_is_answered_alike_and_applied_once(bench: Bench) -> None:
    await bench.own()
    twice = record_pattern("a")
    await bench.send(create_team(), twice, twice)
    await bench.send(twice)
    history = await bench.answered(4)
    history.check({})
    assert [answer.repeat for _, answer in history.outcomes] == [False, False, True, True]
    assert len({json.dumps(answer.answer) for _, answer in history.outcomes[1:]}) == 1
    assert len(history.events) == 2


async def test_a_malformed_record_in_commands_gets_a_refusal_and_blocks_nothing(bench: Bench) -> None:
    await bench.own()
    await bench.send(create_team(), b"\xff\x00", b"[]", record_pattern("a"))
    history = await bench.answered(4)
    assert [answer.status for _, answer in history.outcomes] == [
        "accepted",
        "rejected",
        "rejected",
        "accepted",
    ]


async def test_a_malformed_record_in_events_without_the_stamps_is_void(bench: Bench) -> None:
    await bench.own()
    await bench.send(create_team())
    await bench.answered(1)
    topic = Topics(bench.settings.topic_prefix).events
    await bench.append(topic, NewRecord(key=b"x", value=b"garbage", headers={}))
    await bench.send(record_pattern("a"))
    history = await bench.answered(2)
    history.check({})
    assert history.void == 1


async def test_a_malformed_record_in_events_that_counts_is_an_alarm(bench: Bench) -> None:
    first = await bench.own()
    await bench.send(create_team())
    await bench.answered(1)
    await bench.stop()
    bench.owners.clear()
    assert first.ready() == {}
    topic = Topics(bench.settings.topic_prefix).events
    last = (await read_all(bench.settings, TopicPartition(topic, 0)))[-1]
    stamps = {name: last.headers[name] for name in ("term", "writer", "fence")}
    await bench.append(topic, NewRecord(key=b"x", value=b"garbage", headers=stamps))
    health = await bench.own()

    async def is_alarmed() -> bool:
        return "stopped" in health.ready().get("partition-0", "")

    await eventually(is_alarmed)


async def test_an_owner_takes_its_partition_anew_after_so_many_records(services: Services) -> None:
    async with _bench(services) as bench:
        bench.settings = bench.settings.model_copy(update={"retake_after_records": 2})
        await bench.own()
        await bench.send(create_team(), *(record_pattern(f"n{number}") for number in range(3)))
        await bench.answered(4)
        await bench.send(*(record_pattern(f"m{number}") for number in range(3)))
        (await bench.answered(7)).check({})
        outcomes = await read_all(
            bench.settings, TopicPartition(Topics(bench.settings.topic_prefix).outcomes, 0)
        )
        terms = {record.headers["term"] for record in outcomes}
        assert len(terms) > 2


async def test_a_new_owner_remembers_what_is_not_projected(bench: Bench) -> None:
    await bench.own()
    team, first = create_team(), record_pattern("a")
    await bench.send(team, first)
    await bench.answered(2)
    await bench.stop()
    bench.owners.clear()
    await bench.own()
    await bench.send(first, record_pattern("a"))
    history = await bench.answered(4)
    history.check({})
    assert [answer.status for _, answer in history.outcomes[2:]] == ["accepted", "rejected"]
    assert history.outcomes[2][1].repeat
