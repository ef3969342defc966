"""The projection of [outcomes], from Kafka to Postgres."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from events.outcome import Position, mark
from events.shapes import utc_text
from projectors.outcomes import purge
from runtime.postgres import create_engine
from runtime.settings import Settings
from runtime.topics import Topics
from tests.projecting import (
    OUTCOMES,
    answer,
    caught_up,
    fetch,
    fresh_log,
    next_offset,
    outcomes_log,
    projecting,
    trim,
    until,
)
from tests.services import Services


@pytest.fixture
async def settings(services: Services) -> AsyncIterator[Settings]:
    async with fresh_log(services) as settings:
        yield settings


async def commands(settings: Settings) -> list[str]:
    rows = await fetch(settings, "SELECT command_id::text FROM outcomes ORDER BY command_offset")
    return [row[0] for row in rows]


async def test_the_first_answer_to_a_command_stands_across_batches(settings: Settings) -> None:
    log = await outcomes_log(settings)
    first = answer(log.scribe)
    again = {"team_id": first.team_id, "command_id": first.command_id}
    async with projecting(settings):
        await caught_up(settings, await log.publish(), OUTCOMES)
        answer(log.scribe, **again, status="rejected", answer={"code": "too_old"})
        answer(log.scribe, **again, repeat=True)
        other = answer(log.scribe, team_id=first.team_id)
        answer(log.scribe, command_id=None, status="rejected", answer={"code": "malformed_json"})
        await caught_up(settings, await log.publish(), OUTCOMES)
    assert await commands(settings) == [first.command_id, other.command_id]
    rows = await fetch(settings, "SELECT status, answer, partition FROM outcomes ORDER BY command_offset")
    assert rows[0] == (
        "accepted",
        f'{{"command_id":"{first.command_id}","status":"accepted","version":1}}',
        0,
    )


async def test_the_newest_position_is_there_with_the_checkpoint(settings: Settings) -> None:
    log = await outcomes_log(settings)
    async with projecting(settings):
        await caught_up(settings, await log.publish(), OUTCOMES)
        assert await position(settings) == (0, 1)
        log.scribe.counting(mark(Position(next_command_offset=7, events_end=3), log_id=log.scribe.log_id))
        await caught_up(settings, await log.publish(), OUTCOMES)
        assert await position(settings) == (7, 3)
        answer(log.scribe)
        await caught_up(settings, await log.publish(), OUTCOMES)
        assert await position(settings) == (5, 5)


async def position(settings: Settings) -> tuple[int, ...]:
    (row,) = await fetch(
        settings, "SELECT next_command_offset, events_end FROM decider_positions WHERE partition = 0"
    )
    return row


async def test_outcomes_of_a_writer_that_lost_the_partition_are_not_kept(settings: Settings) -> None:
    log = await outcomes_log(settings)
    kept = answer(log.scribe)
    late = log.scribe.records[-1]
    log.scribe.fence(writer="second")
    log.scribe.void(late)
    async with projecting(settings):
        await caught_up(settings, await log.publish(), OUTCOMES)
    assert await commands(settings) == [kept.command_id]
    assert await fetch(
        settings, "SELECT void_records FROM checkpoints WHERE projection = 'outcomes' AND partition = 0"
    ) == [(1,)]


async def test_in_a_log_without_its_beginning_reading_starts_at_the_first_fence_that_is_left(
    settings: Settings,
) -> None:
    log = await outcomes_log(settings)
    for _ in range(3):
        answer(log.scribe)
    log.scribe.fence(writer="second")
    left = [answer(log.scribe).command_id for _ in range(4)]
    end = await log.publish()
    await trim(settings, Topics(settings.topic_prefix).outcomes, 4)
    async with projecting(settings):
        await caught_up(settings, end, OUTCOMES)
    assert await commands(settings) == left


async def test_where_fences_alone_are_left_reading_waits_for_a_record_that_leads_to_one(
    settings: Settings,
) -> None:
    log = await outcomes_log(settings)
    answer(log.scribe)
    log.scribe.fence(writer="second")
    end = await log.publish()
    await trim(settings, Topics(settings.topic_prefix).outcomes, 4)
    async with projecting(settings) as health:

        async def is_told() -> bool:
            return "leads to a fence" in health.ready().get("projection:outcomes", "")

        await until(is_told)
        assert await next_offset(settings, OUTCOMES) == -1
        first = answer(log.scribe)
        await caught_up(settings, await log.publish(), OUTCOMES)
        assert not health.ready()
    assert (await commands(settings), end) == ([first.command_id], 5)


async def test_old_outcomes_are_purged_by_the_time_of_their_command(settings: Settings) -> None:
    log = await outcomes_log(settings)
    now = datetime.now(UTC)
    for days in range(30, 45):
        moment = now - timedelta(days=days, hours=1)
        answer(log.scribe, recorded_at=utc_text(moment))
    kept = now - timedelta(days=37)
    async with projecting(settings):
        await caught_up(settings, await log.publish(), OUTCOMES)
    engine = create_engine(settings, "test")
    assert await purge(engine, now, batch=3) == 8
    assert await purge(engine, now) == 0
    await engine.dispose()
    ((count, oldest),) = await fetch(settings, "SELECT count(*), min(recorded_at) FROM outcomes")
    assert (count, oldest > kept) == (7, True)
