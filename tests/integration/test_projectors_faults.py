"""Projectors that are killed or paused within a batch, and a Postgres that goes away or back in time."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

import asyncpg
import pytest
from sqlalchemy import make_url

from devstack.stack import DevStack
from events.pattern import PatternArchived, PatternRecorded
from projectors.verify import verify
from runtime.settings import Settings
from tests.projecting import (
    caught_up,
    events_log,
    fetch,
    fresh_log,
    lasting_log,
    next_offset,
    projecting,
    until,
)
from tests.projector_process import projector_process
from tests.scribe import Scribe
from tests.services import Services

PROJECTOR = "patternlog-projector"


@pytest.fixture
async def settings(services: Services) -> AsyncIterator[Settings]:
    async with fresh_log(services, projector_batch=50) as settings:
        yield settings


def some_events(log: Scribe, count: int, size: int = 500) -> None:
    team = log.team()
    for number in range(count):
        pattern = log.pattern(team, PatternRecorded(fields={"name": f"n{number}", "text": "x" * size}))
        if number % 3 == 0:
            log.pattern(team, PatternArchived(), pattern)


@asynccontextmanager
async def write_locked(settings: Settings, table: str) -> AsyncIterator[None]:
    """Nothing can be written to a table."""
    pg = await asyncpg.connect(settings.postgres_dsn.get_secret_value())
    try:
        async with pg.transaction():
            await pg.execute(f"LOCK TABLE {table} IN SHARE MODE")
            yield
    finally:
        await pg.close()


async def sessions(settings: Settings, condition: str) -> int:
    ((count,),) = await fetch(
        settings,
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = $1"
        f" AND {condition}",
        PROJECTOR,
    )
    return int(count)


async def until_a_session(settings: Settings, condition: str) -> None:
    async def is_there() -> bool:
        return await sessions(settings, condition) > 0

    await until(is_there)


async def until_no_session(settings: Settings) -> None:
    async def is_none_left() -> bool:
        return await sessions(settings, "true") == 0

    await until(is_none_left)


@pytest.mark.parametrize("table", ["heads", "history", "projected_logs"])
async def test_a_projector_that_is_killed_within_a_batch_leaves_nothing_of_it(
    settings: Settings, tmp_path: Path, table: str
) -> None:
    log = await events_log(settings)
    some_events(log.scribe, 30)
    end = await log.publish()
    with projector_process(settings, tmp_path / "log") as process:
        async with write_locked(settings, table):
            await until_a_session(settings, "wait_event_type = 'Lock'")
            process.kill()
            process.wait()
        await until_no_session(settings)
    assert await next_offset(settings) == 0
    assert await fetch(settings, "SELECT * FROM heads") == []
    async with projecting(settings):
        await caught_up(settings, end)
    assert (await verify(settings)).differences == []


async def test_a_projector_that_is_killed_again_and_again_applies_every_event_once(
    settings: Settings, tmp_path: Path
) -> None:
    random, log = Random(7), await events_log(settings)
    some_events(log.scribe, 1500)
    end = await log.publish()
    for _ in range(4):
        target = await next_offset(settings) + random.randrange(50, 400)

        async def is_reached(target: int = target) -> bool:
            return await next_offset(settings) >= target

        with projector_process(settings, tmp_path / "log") as process:
            await until(is_reached)
            process.kill()
    async with projecting(settings):
        await caught_up(settings, end)
    report = await verify(settings)
    assert (report.differences, report.events) == ([], end - 2)


# The rows of history are more than sockets hold: it is paused within COPY. In the other case it is paused
# between the parts of a statement. Neither is idle, so no time-out of Postgres ends its session.
@pytest.mark.parametrize(("table", "size"), [("history", 200_000), ("projected_logs", 500)])
async def test_a_projector_that_is_paused_before_its_commit_neither_blocks_nor_spoils_what_another_does(
    settings: Settings, tmp_path: Path, table: str, size: int
) -> None:
    log, other = await events_log(settings), await events_log(settings, 1)
    some_events(log.scribe, 30, size)
    end = await log.publish()
    with projector_process(settings, tmp_path / "log") as paused:
        async with write_locked(settings, table):
            await until_a_session(settings, "wait_event_type = 'Lock'")
            paused.send_signal(signal.SIGSTOP)
        await until_a_session(settings, "wait_event = 'ClientRead' AND state = 'active'")
        assert await next_offset(settings) <= 1
        async with projecting(settings) as health:
            await caught_up(settings, end)
            paused.send_signal(signal.SIGCONT)
            some_events(log.scribe, 30)
            some_events(other.scribe, 30)
            ends = [await log.publish(), await other.publish()]
            for partition, end in enumerate(ends):
                await caught_up(settings, end, partition=partition)
            assert not health.ready()
        assert paused.poll() is None
        some_events(log.scribe, 3)
        await caught_up(settings, await log.publish())
    report = await verify(settings)
    assert (report.differences, report.behind) == ([], 0)
    assert '"alarm"' not in (tmp_path / "log").read_text()


async def test_while_postgres_is_away_the_projector_waits_and_says_so(devstack: DevStack) -> None:
    async with lasting_log(Services.of_stack(devstack), projector_batch=50) as settings:
        log = await events_log(settings)
        some_events(log.scribe, 30)
        end = await log.publish()
        async with projecting(settings) as health:
            await caught_up(settings, end)
            devstack.postgres.kill()
            try:
                some_events(log.scribe, 300)
                end = await log.publish()

                async def is_told() -> bool:
                    return "postgres: " in health.ready().get("projection:library", "")

                await until(is_told)
            finally:
                devstack.postgres.start()
            await caught_up(settings, end)
            assert not health.ready()
        assert (await verify(settings)).differences == []


async def test_a_projector_that_starts_without_postgres_waits_for_it(devstack: DevStack) -> None:
    async with lasting_log(Services.of_stack(devstack)) as settings:
        log = await events_log(settings)
        some_events(log.scribe, 30)
        end = await log.publish()
        devstack.postgres.kill()
        try:
            async with asyncio.timeout(60):
                projector = projecting(settings)
                health = await projector.__aenter__()

                async def is_told() -> bool:
                    return "postgres: " in health.ready().get("projection:library", "")

                await until(is_told)
        finally:
            devstack.postgres.start()
        await caught_up(settings, end)
        await projector.__aexit__(None, None, None)
        assert (await verify(settings)).differences == []


async def test_a_postgres_that_went_back_in_time_is_brought_up_to_date_again(services: Services) -> None:
    async with fresh_log(services, watchdog_s=4.0) as settings:
        log = await events_log(settings)
        some_events(log.scribe, 30)
        async with projecting(settings):
            await caught_up(settings, await log.publish())
        await copy_database(services, settings)
        async with projecting(settings) as health:
            some_events(log.scribe, 30)
            end = await log.publish()
            await caught_up(settings, end)
            await restore_database(services, settings)
            await caught_up(settings, end)

            async def is_well() -> bool:
                return not health.ready()

            await until(is_well)
        assert (await verify(settings)).differences == []


async def copy_database(services: Services, settings: Settings) -> None:
    name = database_of(settings)
    await as_owner(services, f'CREATE DATABASE "{name}_copy" TEMPLATE "{name}"')


async def restore_database(services: Services, settings: Settings) -> None:
    name = database_of(settings)
    await as_owner(
        services, f'DROP DATABASE "{name}" WITH (FORCE)', f'ALTER DATABASE "{name}_copy" RENAME TO "{name}"'
    )


async def as_owner(services: Services, *statements: str) -> None:
    owner = await asyncpg.connect(services.postgres_dsn)
    try:
        for statement in statements:
            await owner.execute(statement)
    finally:
        await owner.close()


def database_of(settings: Settings) -> str:
    name = make_url(settings.postgres_dsn.get_secret_value()).database
    assert name is not None
    return name
