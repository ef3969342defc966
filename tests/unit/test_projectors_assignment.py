"""How partitions are opened, stopped and let go of, with a consumer that only notes what it is told."""

import asyncio
from collections.abc import Awaitable, Callable

from aiokafka import TopicPartition
from aiokafka.errors import KafkaConnectionError
from sqlalchemy.ext.asyncio import create_async_engine

from events.readers_rule import NO_ONE
from projectors.assignment import Assignment
from projectors.checkpoints import Checkpoint
from projectors.errors import WrongLog
from projectors.library import Library
from projectors.status import Status
from runtime.health import Health
from tests.scribe import LOG_ID

AT = TopicPartition("events", 0)
CHECKPOINT = Checkpoint(next_offset=7, standing=NO_ONE, log_id=LOG_ID, void_records=0)


class NotingConsumer:
    """Where it was sent, and whether it fetches."""

    def __init__(self) -> None:
        self.position = -1
        self.is_paused = False
        self.is_assigned = True

    def pause(self, at: TopicPartition) -> None:
        self.is_paused = True

    def resume(self, at: TopicPartition) -> None:
        self.is_paused = False

    def seek(self, at: TopicPartition, offset: int) -> None:
        self.position = offset

    def holds(self, at: TopicPartition) -> bool:
        return self.is_assigned


def assignment_of(
    consumer: NotingConsumer, health: Health, find_start: Callable[[int], Awaitable[Checkpoint]]
) -> Assignment:
    engine = create_async_engine("postgresql+asyncpg://nobody@127.0.0.1:1/none")
    status = Status(health, "library")
    return Assignment(engine, Library(topic="events"), consumer, find_start, status, batch=10)


async def opened(assignment: Assignment) -> None:
    """Assign the partition, and wait until it is open or stopped."""
    await assignment.on_partitions_assigned([AT])
    await asyncio.gather(*assignment._opening.values())


async def test_a_partition_is_not_fetched_until_its_checkpoint_is_known() -> None:
    consumer, health, asked = NotingConsumer(), Health(), asyncio.Event()

    async def find_start(partition: int) -> Checkpoint:
        await asked.wait()
        return CHECKPOINT

    assignment = assignment_of(consumer, health, find_start)
    await assignment.on_partitions_assigned([AT])
    assert consumer.is_paused
    assert assignment.loops == {}
    asked.set()
    await asyncio.gather(*assignment._opening.values())
    assert (consumer.is_paused, consumer.position) == (False, 7)
    assert assignment.loops[0].checkpoint == CHECKPOINT


async def test_a_partition_that_is_taken_away_before_it_is_open_is_never_opened() -> None:
    consumer, health = NotingConsumer(), Health()

    async def find_start(partition: int) -> Checkpoint:
        await asyncio.Event().wait()
        raise AssertionError

    assignment = assignment_of(consumer, health, find_start)
    await assignment.on_partitions_assigned([AT])
    await asyncio.sleep(0)
    await assignment.on_partitions_revoked([AT])
    assert (assignment.loops, assignment._opening, consumer.is_paused) == ({}, {}, True)
    assert health.ready() == {}


async def test_finding_the_checkpoint_is_tried_until_it_works() -> None:
    consumer, health = NotingConsumer(), Health()
    failures = [KafkaConnectionError("gone"), OSError("refused"), TimeoutError()]
    told: list[str] = []

    async def find_start(partition: int) -> Checkpoint:
        told.append(health.ready().get("projection:library", ""))
        if failures:
            raise failures.pop(0)
        return CHECKPOINT

    await opened(assignment_of(consumer, health, find_start))
    assert told == [
        "",
        "partition 0: kafka: KafkaConnectionError: gone",
        "partition 0: postgres: refused",
        "partition 0: postgres: TimeoutError",
    ]
    assert health.ready() == {}


async def test_a_partition_that_was_stopped_is_not_opened_again() -> None:
    consumer, health, asked = NotingConsumer(), Health(), 0

    async def find_start(partition: int) -> Checkpoint:
        nonlocal asked
        asked += 1
        raise WrongLog("another one")

    assignment = assignment_of(consumer, health, find_start)
    await opened(assignment)
    await opened(assignment)
    assert (asked, assignment.loops, consumer.is_paused) == (1, {}, True)
    assert health.ready() == {"projection:library": "partition 0: WrongLog: another one"}


async def test_a_partition_is_stopped_though_it_was_taken_away_meanwhile() -> None:
    consumer, health = NotingConsumer(), Health()

    async def find_start(partition: int) -> Checkpoint:
        return CHECKPOINT

    assignment = assignment_of(consumer, health, find_start)
    await opened(assignment)
    consumer.is_assigned = False
    assignment.stop(0, RuntimeError("a bug"))
    assert consumer.position == 7
    assert "a bug" in health.ready()["projection:library"]


async def test_what_comes_for_a_partition_that_is_not_open_is_dropped_and_read_again_later() -> None:
    consumer, health = NotingConsumer(), Health()

    async def find_start(partition: int) -> Checkpoint:
        return CHECKPOINT

    assignment = assignment_of(consumer, health, find_start)
    await assignment.feed({0: [object()]})
    assert assignment.loops == {}
