"""Who asks too much is told so, each by a budget of their own."""

from collections.abc import AsyncIterator

import httpx
import pytest

from events.roles import Tier
from runtime.rate_limits.budgets import Allowances, network_of
from runtime.settings import Environment
from runtime.startup_failures import Misconfigured
from runtime.web import build_app
from tests.limited import NOBODY, admitted, limited, limited_app, limited_client, of
from tests.web import client_of, development

THINGS = "/api/v1/things"
LOGIN = "/api/v1/auth/login"


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with limited_client(limited()) as client:
        yield client


async def test_the_limit_is_reached_exactly_and_the_answer_says_when_to_ask_again(
    client: httpx.AsyncClient,
) -> None:
    assert await admitted(client, 10, "ada") == 10
    refused = await client.get(THINGS, headers=of("ada"))
    assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert refused.headers["ratelimit-remaining"] == "0"


async def test_every_answer_says_what_is_left(client: httpx.AsyncClient) -> None:
    answer = await client.get(THINGS, headers=of("ada/acme"))
    assert answer.headers["ratelimit-policy"] == '"user-reads";q=10;w=60, "organization-reads";q=20;w=60'
    state = dict(part.split(";r=") for part in answer.headers["ratelimit"].split(", "))
    assert state['"user-reads"'].startswith("9;t=")
    assert state['"organization-reads"'].startswith("19;t=")
    assert (answer.headers["ratelimit-limit"], answer.headers["ratelimit-remaining"]) == ("10", "9")
    assert 1 <= int(answer.headers["ratelimit-reset"]) <= 60


async def test_users_have_budgets_of_their_own_and_share_their_organizations(
    client: httpx.AsyncClient,
) -> None:
    assert await admitted(client, 12, "ada/acme") == 10
    assert await admitted(client, 12, "bob/acme") == 10
    assert await admitted(client, 12, "eve/acme") == 0
    assert await admitted(client, 12, "max/other") == 10


async def test_reads_leave_writes_alone(client: httpx.AsyncClient) -> None:
    assert await admitted(client, 12, "ada") == 10
    assert (await client.post(THINGS, headers=of("ada"))).status_code == 200


async def test_a_tier_has_its_own_limit(client: httpx.AsyncClient) -> None:
    assert await admitted(client, 20, "ada//team") == 15


@pytest.mark.parametrize("who", ["", "bad"])
async def test_who_is_not_known_is_limited_by_address(client: httpx.AsyncClient, who: str) -> None:
    assert await admitted(client, 10, who) == 5
    assert await admitted(client, 1, "ada") == 1


async def test_what_holds_many_commands_is_charged_for_each(client: httpx.AsyncClient) -> None:
    first = await client.post(THINGS, params={"count": 15}, headers=of("ada"))
    assert (first.status_code, first.headers["ratelimit-remaining"]) == (200, "5")
    second = await client.post(THINGS, params={"count": 15}, headers=of("ada"))
    assert (second.status_code, second.json()["code"]) == (429, "rate_limited")
    assert int(second.headers["retry-after"]) >= 60 * (14 - 4) / 20
    assert (await client.post(THINGS, params={"count": 2}, headers=of("ada"))).status_code == 200


async def test_logins_are_limited_by_address_whoever_asks(client: httpx.AsyncClient) -> None:
    statuses = [(await client.post(LOGIN, headers=of(f"user{n}"))).status_code for n in range(5)]
    assert statuses == [200, 200, 200, 429, 429]
    assert await admitted(client, 1) == 1


async def test_an_accounts_password_is_tried_less_often() -> None:
    async with limited_client(limited(rate_login=100)) as client:
        statuses = [
            (await client.post(LOGIN, params={"account": account})).status_code
            for account in ("ada", " ADA", "ada", "bob")
        ]
    assert statuses == [200, 200, 429, 200]


@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/metrics", "/openapi.json"])
async def test_what_operators_ask_for_is_not_limited(client: httpx.AsyncClient, path: str) -> None:
    assert await admitted(client, 30, path=path) == 30
    assert "ratelimit" not in (await client.get(path)).headers


async def test_nothing_is_limited_where_limits_are_off() -> None:
    async with client_of(limited_app(limited(rate_limits=False))) as client:
        assert await admitted(client, 30) == 30


def test_limits_are_switched_off_in_development_only() -> None:
    settings = development(environment=Environment.PRODUCTION, rate_limits=False)
    with pytest.raises(Misconfigured, match="in development only"):
        build_app("t", settings, [], [])


@pytest.mark.parametrize(
    ("host", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("what", "unknown"),
        ("", "unknown"),
    ],
)
def test_an_address_stands_for_its_holder(host: str, network: str) -> None:
    assert network_of(host) == network


def test_every_tier_has_limits_and_a_higher_one_has_more() -> None:
    allowances = Allowances.of(development())
    for writing in (False, True):
        amounts = [allowances.user[tier, writing].amount for tier in Tier]
        assert amounts == sorted(amounts)
        assert len(set(amounts)) == len(Tier)


async def test_without_redis_the_process_counts_for_itself_and_says_so() -> None:
    async with limited_client(limited(NOBODY)) as client:
        assert await admitted(client, 12, "ada") == 10
        health = await client.get("/health/ready")
    assert health.status_code == 200
    assert "Redis does not answer" in health.json()["parts"]["rate limits"]
