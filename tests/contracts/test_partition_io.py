"""What the conditional append relies on, of Kafka and of the partition in memory that stands for it."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from command_api.decider.conditional_log import BEGINNING, Start, Superseded, take
from command_api.decider.kafka_partition import KafkaPartition
from command_api.decider.partition_io import PartitionIO, Topic
from events.record import NewRecord
from runtime.log_setup import create_log
from tests.databases import settings_for
from tests.services import Services
from tests.simulated_log import SimulatedIO, made_log

Connect = Callable[[str], Awaitable[PartitionIO]]


@pytest.fixture(params=["simulated", pytest.param("kafka", marks=pytest.mark.integration)])
async def connect(request: pytest.FixtureRequest) -> AsyncIterator[Connect]:
    """Connects another writer to one newly made partition."""
    connected: list[PartitionIO] = []
    if request.param == "simulated":
        partition = made_log()

        async def connect_one(writer: str) -> PartitionIO:
            return SimulatedIO(partition)
    else:
        services: Services = request.getfixturevalue("services")
        settings = settings_for(services, services.postgres_dsn)
        await create_log(settings)

        async def connect_one(writer: str) -> PartitionIO:
            io = KafkaPartition(settings, 0, writer)
            await io.start()
            connected.append(io)
            return io

    yield connect_one
    for io in connected:
        await io.drop()


def records(*values: str) -> list[NewRecord]:
    return [NewRecord(key=b"k", value=value.encode(), headers={"h": b"1"}) for value in values]


async def test_a_made_log_has_its_first_fence_and_mark(connect: Connect) -> None:
    io = await connect("a")
    assert (await io.bounds(Topic.EVENTS)).end == 1
    assert (await io.bounds(Topic.OUTCOMES)).end == 2


async def test_a_batch_gets_consecutive_offsets_from_its_base(connect: Connect) -> None:
    io = await connect("a")
    assert await io.append(Topic.EVENTS, records("one", "two")) == 1
    assert await io.append(Topic.EVENTS, records("three")) == 3
    assert [record.value for record in await io.read(Topic.EVENTS, 1, 4)] == [b"one", b"two", b"three"]


async def test_a_record_is_read_as_it_was_appended(connect: Connect) -> None:
    io = await connect("a")
    empty = NewRecord(key=None, value=None, headers={"kind": b"x", "text": "ü".encode()})
    base = await io.append(Topic.OUTCOMES, [empty])
    (read,) = await io.read(Topic.OUTCOMES, base, base + 1)
    assert (read.key, read.value, read.headers) == (None, None, empty.headers)


async def test_a_range_can_be_read_again_and_in_part(connect: Connect) -> None:
    io = await connect("a")
    await io.append(Topic.EVENTS, records("one", "two", "three"))
    for _ in range(2):
        assert [record.value for record in await io.read(Topic.EVENTS, 2, 3)] == [b"two"]
    assert await io.read(Topic.EVENTS, 2, 2) == []


async def test_two_writers_share_one_order(connect: Connect) -> None:
    first, second = await connect("a"), await connect("b")
    assert await first.append(Topic.EVENTS, records("a")) == 1
    assert await second.append(Topic.EVENTS, records("b")) == 2
    assert [record.value for record in await first.read(Topic.EVENTS, 1, 3)] == [b"a", b"b"]


async def test_the_topics_are_apart(connect: Connect) -> None:
    io = await connect("a")
    await io.append(Topic.EVENTS, records("a"))
    assert (await io.bounds(Topic.OUTCOMES)).end == 2


async def test_an_older_owner_is_superseded(connect: Connect) -> None:
    start = Start(heads=BEGINNING, outcomes=BEGINNING, position=None)
    first = await take(await connect("a"), writer="a", log_id="log", start=start)
    second = await take(await connect("b"), writer="b", log_id="log", start=start)
    with pytest.raises(Superseded):
        await first.log.append_events(records("late"))
    await second.log.append_events(records("mine"))
