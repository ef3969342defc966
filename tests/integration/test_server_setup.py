"""`setup` makes what the first process needs, and nothing twice."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from migrations.check import check_migrated
from runtime.log_setup import check_log
from runtime.settings import Settings
from server.setup import set_up
from tests.databases import fresh_database, settings_for
from tests.services import Services


@pytest.fixture
async def settings(services: Services) -> AsyncIterator[Settings]:
    async with fresh_database(services) as dsn:
        yield settings_for(services, dsn)


async def test_it_makes_the_tables_and_the_log(settings: Settings) -> None:
    said = await set_up(settings)
    await check_migrated(settings)
    log = await check_log(settings)
    assert f"log {log.log_id} with {log.partitions} partitions" in said


async def test_another_time_it_changes_nothing(settings: Settings) -> None:
    assert await set_up(settings) == await set_up(settings)


async def test_several_at_once_make_one_log(settings: Settings) -> None:
    said = await asyncio.gather(*(set_up(settings) for _ in range(3)))
    assert set(said) == {await set_up(settings)}
