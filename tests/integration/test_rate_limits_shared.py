"""All processes count in one Redis, so together they admit no more than one would."""

import asyncio

import httpx

from runtime.settings import Settings
from tests.limited import admitted, limited, limited_client, of
from tests.services import Services

THINGS = "/api/v1/things"


async def test_two_processes_share_each_budget(services: Services) -> None:
    settings = limited(services.redis_url)
    async with limited_client(settings) as one, limited_client(settings) as other:
        assert await admitted(one, 6, "ada") == 6
        assert await admitted(other, 6, "ada") == 4
        assert await admitted(one, 1, "ada") == 0
        assert "rate limits" not in (await one.get("/health/ready")).json()["parts"]


async def test_requests_at_once_are_never_more_than_the_limit(services: Services) -> None:
    settings = limited(services.redis_url, rate_free_reads=1000, rate_redis_timeout_s=10.0)
    async with limited_client(settings) as one, limited_client(settings) as other:
        total = sum(await asyncio.gather(*(admitted(c, 100, "ada") for c in (one, other) * 8)))
    # A process that is refused a whole lease asks for one hit at a time: nothing is lost but what lies idle.
    assert 980 <= total <= 1000


async def test_what_is_left_counts_down_whoever_spends_it(services: Services) -> None:
    settings: Settings = limited(services.redis_url)

    async def left(client: httpx.AsyncClient) -> int:
        answer = await client.get(THINGS, headers=of("ada"))
        return int(answer.headers["ratelimit-remaining"])

    async with limited_client(settings) as one, limited_client(settings) as other:
        assert [await left(one), await left(other), await left(one)] == [9, 8, 7]


async def test_tests_of_one_account_are_counted_together(services: Services) -> None:
    settings = limited(services.redis_url, rate_login=100)
    async with limited_client(settings) as one, limited_client(settings) as other:
        statuses = [
            (await client.post("/api/v1/auth/login", params={"account": "ada"})).status_code
            for client in (one, other, one)
        ]
    assert statuses == [200, 200, 429]
