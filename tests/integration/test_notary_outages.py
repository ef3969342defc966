"""The notary while Postgres or Kafka is away, and while the live generation changes."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr
from sqlalchemy import make_url

from devstack.stack import DevStack
from events.pattern import PatternRecorded
from runtime.health import Health
from tests.integration.test_notary import signed
from tests.integration.test_rebuild_reading import drop_second, rebuild_and_switch, switch_back
from tests.notarizing import Story, story, turn
from tests.projecting import projecting, until
from tests.proxy import Proxy, proxy_to
from tests.services import Services


@pytest.fixture
async def proxy(services: Services) -> AsyncIterator[Proxy]:
    url = make_url(services.postgres_dsn)
    async with proxy_to(str(url.host), url.port or 5432) as proxy:
        yield proxy


async def publish(told: Story) -> None:
    """One more event, for a projector that runs."""
    told.log.scribe.pattern(told.team, PatternRecorded(fields={"name": str(told.log.scribe.next_offset)}))
    await told.log.publish()


async def until_told(health: Health, reason: str) -> None:
    async def is_told() -> bool:
        return health.ready().get("notary", "").startswith(reason)

    await until(is_told)


async def test_while_postgres_is_away_the_notary_says_so_and_goes_on_when_it_is_back(
    services: Services, proxy: Proxy
) -> None:
    async with story(services) as told:
        url = make_url(told.settings.postgres_dsn.get_secret_value()).set(host="127.0.0.1", port=proxy.port)
        dsn = SecretStr(url.render_as_string(hide_password=False))
        async with projecting(told.settings.model_copy(update={"postgres_dsn": dsn})) as health:
            await until(lambda: signed(told, 3))
            await proxy.cut()
            await publish(told)
            await until_told(health, "postgres: ")
            assert await told.sizes() == [3]
            await proxy.mend()
            await until(lambda: signed(told, 4))
            await until(lambda: is_well(health))
        assert (await told.sizes(), await told.alarms()) == ([3, 4], [])


async def is_well(health: Health) -> bool:
    return not health.ready()


async def test_while_kafka_is_away_the_notary_says_so_and_goes_on_when_it_is_back(devstack: DevStack) -> None:
    async with (
        story(Services.of_stack(devstack), kafka_request_timeout_s=3.0) as told,
        projecting(told.settings) as health,
    ):
        await until(lambda: signed(told, 3))
        devstack.brokers[0].kill()
        try:
            await until_told(health, "kafka: ")
        finally:
            await asyncio.to_thread(devstack.brokers[0].start)
        await publish(told)
        await until(lambda: signed(told, 4))
        await until(lambda: is_well(health))
        assert (await told.sizes(), await told.alarms()) == ([3, 4], [])


async def test_heads_follow_one_another_across_switches_of_the_generation(services: Services) -> None:
    async with story(services) as told, turn(told.settings) as notary:
        unsigned = told.settings.model_copy(update={"tree_head_keys": SecretStr("")})

        async def signs(size: int) -> bool:
            await notary.sign()
            return await signed(told, size)

        async with projecting(unsigned):
            await until(lambda: signs(3))
            await rebuild_and_switch(unsigned)
            await publish(told)
            await until(lambda: signs(4))
            await switch_back(unsigned)
            await drop_second(unsigned)
            await publish(told)
            await until(lambda: signs(5))
        assert (await told.sizes(), await told.alarms()) == ([3, 4, 5], [])
