"""The projector as a whole: following owners, stopping with an alarm, and passing over nothing."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from events.pattern import PatternRecorded
from events.record import NewRecord
from projectors.assignment import Assignment
from projectors.verify import verify
from runtime.health import Health
from runtime.metrics import MALFORMED_RECORDS, PROJECTION_LAG
from runtime.settings import Settings
from runtime.topics import Topics
from tests.projecting import (
    caught_up,
    events_log,
    fetch,
    fresh_log,
    next_offset,
    projecting,
    trim,
    until,
)
from tests.scribe import Scribe
from tests.services import Services


@pytest.fixture
async def settings(services: Services) -> AsyncIterator[Settings]:
    async with fresh_log(services, watchdog_s=3.0) as settings:
        yield settings


PARTS = ("projection:library", "projection:outcomes", "projection:origins")
QUIET_WATCHDOG = {"watchdog_s": 3600.0}
"""It looks once at the start, before partitions are open, and not again."""


def some_patterns(log: Scribe, count: int, team: str | None = None) -> str:
    team = team or log.team()
    for _ in range(count):
        log.pattern(team, PatternRecorded(fields={"name": log.new_id()}))
    return team


async def alarm(health: Health, part: str = "projection:library") -> str:
    """Wait until a part gives an alarm; its reason."""

    async def is_given() -> bool:
        return part in health._alarms

    await until(is_given)
    assert part in health.ready()
    return health._alarms[part]


async def test_a_new_owner_of_the_log_is_followed_and_the_old_one_no_longer(settings: Settings) -> None:
    log = await events_log(settings)
    team = some_patterns(log.scribe, 3)
    log.scribe.fence(writer="second")
    late = [log.scribe.void(log.scribe.records[2]) for _ in range(5)]
    some_patterns(log.scribe, 3, team)
    end = await log.publish()
    async with projecting(settings) as health:
        await caught_up(settings, end)
        working = dict.fromkeys(PARTS, "ok")
        assert health.parts() == {**working, "notary": "no key: tree heads are not signed"}
    report = await verify(settings)
    assert (report.differences, report.events, report.void_records) == ([], 7, len(late))


@pytest.mark.parametrize(
    "wrong", [{"type": "pattern.renamed.v1"}, {"sequence": 9}, {"version": 5}, {"data": b"{"}], ids=str
)
async def test_an_event_that_counts_and_cannot_be_applied_stops_its_partition_alone(
    settings: Settings, wrong: dict[str, Any]
) -> None:
    log, other = await events_log(settings), await events_log(settings, 1)
    team = some_patterns(log.scribe, 3)
    bad = log.scribe.command(
        team, (f"patterns/{log.scribe.new_id()}", PatternRecorded(fields={"name": "n"})), **wrong
    )
    some_patterns(log.scribe, 2)
    await log.publish()
    malformed = MALFORMED_RECORDS.labels(Topics(settings.topic_prefix).events)
    async with projecting(settings) as health:
        reason = await alarm(health)
        assert f"offset {bad[0].offset}" in reason
        assert "partition 0" in reason
        some_patterns(other.scribe, 3)
        await caught_up(settings, await other.publish(), partition=1)
        assert await next_offset(settings) == bad[0].offset
        assert malformed._value.get() == 1
    report = await verify(settings)
    assert (report.differences, report.behind) == ([], log.scribe.next_offset - bad[0].offset)


async def test_a_partition_that_is_stopped_stops_again_after_a_restart(settings: Settings) -> None:
    log = await events_log(settings)
    bad = log.scribe.counting(NewRecord(key=b"x", value=b"y", headers={}))
    some_patterns(log.scribe, 1)
    await log.publish()
    for _ in range(2):
        async with projecting(settings) as health:
            assert f"offset {bad.offset}" in await alarm(health)
    assert await next_offset(settings) == bad.offset


@pytest.mark.parametrize(
    "change",
    ["next_offset = 1000", "log_id = '0190a5d0-0000-7000-8000-00000000dead'"],
)
async def test_a_checkpoint_that_fits_no_log_of_ours_is_an_alarm(settings: Settings, change: str) -> None:
    settings = settings.model_copy(update=QUIET_WATCHDOG)
    log = await events_log(settings)
    some_patterns(log.scribe, 3)
    end = await log.publish()
    async with projecting(settings):
        await caught_up(settings, end)
    await fetch(settings, f"UPDATE checkpoints SET {change} WHERE projection = 'library' AND partition = 0")
    async with projecting(settings) as health:
        assert "WrongLog" in await alarm(health)


async def test_a_log_whose_beginning_is_gone_is_an_alarm(settings: Settings) -> None:
    log = await events_log(settings, 1)
    some_patterns(log.scribe, 3)
    await log.publish()
    await trim(settings, Topics(settings.topic_prefix).events, 2, partition=1)
    async with projecting(settings) as health:
        assert "the log begins at offset 2" in await alarm(health)
    assert await next_offset(settings, partition=1) == -1


async def test_a_log_that_is_cut_off_under_a_projector_is_an_alarm(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings.model_copy(update={"watchdog_s": 120.0})
    log = await events_log(settings)
    some_patterns(log.scribe, 3)
    end = await log.publish()
    async with projecting(settings) as health:
        await caught_up(settings, end)
        monkeypatch.setattr(Assignment, "feed", lose)
        some_patterns(log.scribe, 3)
        await trim(settings, Topics(settings.topic_prefix).events, await log.publish())
        assert f"the checkpoint is at offset {end}" in await alarm(health)


async def lose(self: Assignment, batches: dict[int, list[Any]]) -> None:
    """What a consumer does that passes records over."""


async def test_a_batch_that_got_lost_is_read_again_when_the_next_one_comes(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with fresh_log(services, **QUIET_WATCHDOG) as settings, projecting(settings) as health:
        log = await events_log(settings)
        team = some_patterns(log.scribe, 1)
        await caught_up(settings, await log.publish())
        lost: list[int] = []
        feed = Assignment.feed

        async def lose_once(self: Assignment, batches: dict[int, list[Any]]) -> None:
            if lost:
                await feed(self, batches)
            lost.append(len(batches))

        monkeypatch.setattr(Assignment, "feed", lose_once)
        some_patterns(log.scribe, 2, team)
        await log.publish()
        await until_lost(lost)
        some_patterns(log.scribe, 2, team)
        await caught_up(settings, await log.publish())
        assert not health.ready()
        assert (await verify(settings)).is_equal


async def test_a_consumer_that_has_gone_quiet_is_replaced(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = await events_log(settings)
    team = some_patterns(log.scribe, 1)
    async with projecting(settings) as health:
        await caught_up(settings, await log.publish())
        lost: list[int] = []
        feed = Assignment.feed

        told: list[str] = []

        async def lose_until_told(self: Assignment, batches: dict[int, list[Any]]) -> None:
            if not told:
                lost.append(len(batches))
            else:
                await feed(self, batches)

        monkeypatch.setattr(Assignment, "feed", lose_until_told)
        some_patterns(log.scribe, 2, team)
        end = await log.publish()
        await until_lost(lost)
        lag = PROJECTION_LAG.labels("library", 0)

        async def is_told() -> bool:
            said = health.ready().get("projection:library", "")
            told.extend([said] if "no progress in partition 0" in said else [])
            return bool(told)

        await until(is_told)
        assert lag._value.get() == 2
        await caught_up(settings, end)

        async def is_well() -> bool:
            return not health.ready() and lag._value.get() == 0

        await until(is_well)
    assert (await verify(settings)).is_equal


async def until_lost(lost: list[int]) -> None:
    async def is_lost() -> bool:
        return bool(lost)

    await until(is_lost)
