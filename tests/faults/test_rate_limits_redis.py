"""Redis goes away and comes back: requests are answered all the while, and limited."""

import asyncio
from collections.abc import Iterator
from time import monotonic

import httpx
import pytest

from devstack.stack import DevStack
from runtime.metrics import RATE_LIMITS_LOCAL
from tests.limited import admitted, limited, limited_client, of
from tests.waiting import eventually

LONGEST_S = 3.0
"""The time-out of Redis, which is half a second, and what a busy machine adds."""


@pytest.fixture
def redis(devstack: DevStack) -> Iterator[DevStack]:
    yield devstack
    devstack.redis.resume()
    if not devstack.redis.is_running():
        devstack.redis.start()


async def asked(client: httpx.AsyncClient, who: str) -> tuple[int, float]:
    began = monotonic()
    answer = await client.get("/api/v1/things", headers=of(who))
    return answer.status_code, monotonic() - began


async def remark(client: httpx.AsyncClient) -> str:
    health = await client.get("/health/ready")
    assert health.status_code == 200
    return str(health.json()["parts"].get("rate limits", ""))


async def all_is_well(client: httpx.AsyncClient) -> None:
    async def is_back() -> bool:
        return not await remark(client)

    await eventually(is_back, within=10)


async def test_a_killed_redis_leaves_each_process_with_the_limits_of_its_own(redis: DevStack) -> None:
    settings = limited(redis.redis_url)
    async with limited_client(settings) as one, limited_client(settings) as other:
        assert await admitted(one, 8, "ada") == 8
        redis.redis.kill()
        local = RATE_LIMITS_LOCAL._value.get()
        assert await admitted(one, 12, "bob") == 10
        assert await admitted(other, 12, "bob") == 10
        assert RATE_LIMITS_LOCAL._value.get() > local
        assert "each process counts for itself" in await remark(one)
        redis.redis.start()
        await all_is_well(one)
        await all_is_well(other)
        assert await admitted(one, 6, "eve") == 6
        assert await admitted(other, 6, "eve") == 4


async def test_no_request_waits_for_a_redis_that_hangs(redis: DevStack) -> None:
    async with limited_client(limited(redis.redis_url)) as client:
        assert await asked(client, "warm")
        redis.redis.pause()
        answers = await asyncio.gather(*(asked(client, f"user{number}") for number in range(30)))
        assert {status for status, _ in answers} == {200}
        assert max(seconds for _, seconds in answers) < LONGEST_S
        assert [status for status, _ in [await asked(client, "late") for _ in range(3)]] == [200] * 3
        redis.redis.resume()
        await all_is_well(client)
        assert await admitted(client, 12, "after") == 10
