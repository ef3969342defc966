"""Each part of a devstack can be killed, paused and started again where it was."""

import asyncio

import asyncpg
import pytest

from devstack.stack import DevStack, StackOptions
from tests.devstack_clients import in_sync, make_topic, query, recall, received, remember, send

pytestmark = pytest.mark.devstack


async def test_the_settings_are_durable_ones(devstack: DevStack) -> None:
    settings = {"fsync": "on", "synchronous_commit": "on", "max_connections": "200"}
    assert {name: await query(devstack, f"SHOW {name}") for name in settings} == settings
    assert str(await query(devstack, "SHOW server_version")).startswith("18.")


async def test_a_killed_broker_comes_back_with_its_records(devstack: DevStack) -> None:
    await make_topic(devstack, "killed")
    await send(devstack, "killed", b"before")
    devstack.brokers[0].kill()
    devstack.brokers[0].start()
    await send(devstack, "killed", b"after")
    assert await received(devstack, "killed") == [b"before", b"after"]


async def test_a_paused_broker_goes_on_where_it_was(devstack: DevStack) -> None:
    await make_topic(devstack, "paused")
    devstack.brokers[0].pause()
    sending = asyncio.create_task(send(devstack, "paused", b"record"))
    done, _ = await asyncio.wait([sending], timeout=0.5)
    assert not done
    devstack.brokers[0].resume()
    await sending
    assert await received(devstack, "paused") == [b"record"]


async def test_a_killed_postgres_comes_back_with_what_was_committed(devstack: DevStack) -> None:
    await query(devstack, "CREATE TABLE devstack_killed AS SELECT 'row' AS value")
    devstack.postgres.kill()
    with pytest.raises(OSError, match="Connect call failed"):
        await query(devstack, "SELECT 1")
    devstack.postgres.start()
    assert await query(devstack, "SELECT value FROM devstack_killed") == "row"
    await query(devstack, "DROP TABLE devstack_killed")


async def test_a_paused_postgres_lets_connections_wait(devstack: DevStack) -> None:
    connection = await asyncpg.connect(devstack.postgres_dsn)
    devstack.postgres.pause()
    with pytest.raises(TimeoutError):
        await asyncpg.connect(devstack.postgres_dsn, timeout=0.5)
    asking = asyncio.create_task(connection.fetchval("SELECT 1"))
    done, _ = await asyncio.wait([asking], timeout=0.2)
    assert not done
    devstack.postgres.resume()
    assert await asking == 1
    await connection.close()


async def test_a_stopped_postgres_does_not_wait_for_its_clients(devstack: DevStack) -> None:
    connection = await asyncpg.connect(devstack.postgres_dsn)
    devstack.postgres.restart()
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
        await connection.fetchval("SELECT 1")
    await connection.close()
    assert await query(devstack, "SELECT 1") == 1


def test_a_redis_is_killed_and_started_again_at_the_same_place(devstack: DevStack) -> None:
    remember(devstack, "devstack", "forgotten")
    devstack.redis.kill()
    devstack.redis.start()
    assert recall(devstack, "devstack") is None


async def until_in_sync(stack: DevStack, topic: str, brokers: set[int]) -> None:
    async with asyncio.timeout(60):
        while await in_sync(stack, topic) != brokers:  # noqa: ASYNC110 - the cluster has no event for us
            await asyncio.sleep(0.05)


async def test_three_brokers_do_without_one_and_take_it_back() -> None:
    large = bytes(8 * 1024 * 1024 - 1024)
    with DevStack(StackOptions(brokers=3, with_redis=False)) as stack:
        await make_topic(stack, "large", copies=3)
        stack.brokers[0].kill()
        await send(stack, "large", large)
        stack.brokers[0].start()
        await until_in_sync(stack, "large", {1, 2, 3})
        assert await received(stack, "large") == [large]
