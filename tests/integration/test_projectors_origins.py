"""The projection of [commands], from Kafka to Postgres."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from events.record import NewRecord
from projectors.origins import purge
from runtime.postgres import create_engine
from runtime.settings import Settings
from runtime.topics import Topics
from tests.projecting import append, caught_up, fetch, fresh_log, projecting, trim
from tests.services import Services

ORIGINS = "origins"


@pytest.fixture
async def settings(services: Services) -> AsyncIterator[Settings]:
    async with fresh_log(services) as settings:
        yield settings


async def command(settings: Settings, *numbers: int, partition: int = 0) -> None:
    """Append records of commands, each of them from an address of its own."""
    records = [
        NewRecord(key=b"k", value=b"{}", headers={"actor": b"ada", "address": b"10.0.0.%d" % number})
        for number in numbers
    ]
    await append(settings, Topics(settings.topic_prefix).commands, partition, records)


async def origins(settings: Settings) -> list[tuple[Any, ...]]:
    statement = "SELECT partition, command_offset, address, user_agent FROM origins ORDER BY 1, 2"
    return await fetch(settings, statement)


async def test_each_command_is_kept_once_whoever_projects(settings: Settings) -> None:
    await command(settings, 1, 2)
    await command(settings, 3, partition=1)
    async with projecting(settings):
        await caught_up(settings, 2, ORIGINS)
        await caught_up(settings, 1, ORIGINS, 1)
    async with projecting(settings):
        await command(settings, 4)
        await caught_up(settings, 3, ORIGINS)
    assert await origins(settings) == [
        (0, 0, "10.0.0.1", None),
        (0, 1, "10.0.0.2", None),
        (0, 2, "10.0.0.4", None),
        (1, 0, "10.0.0.3", None),
    ]


async def test_where_the_beginning_is_gone_reading_starts_at_what_is_left(settings: Settings) -> None:
    await command(settings, 1, 2, 3)
    await trim(settings, Topics(settings.topic_prefix).commands, 2)
    async with projecting(settings):
        await caught_up(settings, 3, ORIGINS)
    assert await origins(settings) == [(0, 2, "10.0.0.3", None)]


async def test_a_topic_of_which_nothing_is_left_is_waited_for(settings: Settings) -> None:
    await command(settings, 1, 2)
    await trim(settings, Topics(settings.topic_prefix).commands, 2)
    async with projecting(settings):
        await caught_up(settings, 2, ORIGINS)
        await command(settings, 3)
        await caught_up(settings, 3, ORIGINS)
    assert await origins(settings) == [(0, 2, "10.0.0.3", None)]


async def test_origins_are_purged_after_a_time_of_their_own(settings: Settings) -> None:
    await command(settings, 1, 2, 3)
    async with projecting(settings):
        await caught_up(settings, 3, ORIGINS)
    await fetch(
        settings,
        "UPDATE origins SET recorded_at = now() - command_offset * interval '1 day' - interval '1 hour'",
    )
    engine = create_engine(settings, "test")
    try:
        assert await purge(engine, datetime.now(UTC), timedelta(days=1), batch=1) == 2
    finally:
        await engine.dispose()
    assert [row[1] for row in await origins(settings)] == [0]
