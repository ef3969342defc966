"""A projection rebuilt beside its live generation: filled, compared, switched, switched back, dropped."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from events.pattern import PatternArchived, PatternDeleted, PatternRecorded
from projectors.generations import GenerationError
from projectors.rebuild import Different, rebuilding
from projectors.verify import verify
from runtime.settings import Settings
from tests.projecting import (
    OUTCOMES,
    TopicLog,
    answer,
    caught_up,
    events_log,
    fetch,
    fresh_log,
    outcomes_log,
    projecting,
    until,
)
from tests.scribe import detected, edited, resolved
from tests.services import Services

TABLES = ("heads", "names", "patterns", "changes", "history", "conflicts", "projected_logs")


@pytest.fixture
async def settings(services: Services) -> AsyncIterator[Settings]:
    async with fresh_log(services) as settings:
        yield settings


def a_life(log: TopicLog, team: str | None = None) -> str:
    """A team with patterns in every state."""
    scribe = log.scribe
    team = team or scribe.team()
    for number in range(20):
        pattern = scribe.pattern(team, PatternRecorded(fields={"name": scribe.new_id(), "tags": ["a", "b"]}))
        scribe.pattern(team, edited(1, severity="high"), pattern)
        conflict = scribe.new_id()
        if number % 4 == 1:
            scribe.pattern(team, detected(conflict, severity="low"), pattern)
        if number % 8 == 1:
            scribe.pattern(team, resolved(conflict, 3, severity="low"), pattern)
        if number % 4 == 2:
            scribe.pattern(team, PatternArchived(), pattern)
        if number % 4 == 3:
            scribe.pattern(team, PatternDeleted(), pattern)
    return team


async def live(settings: Settings, projection: str = "library") -> int:
    rows = await fetch(
        settings,
        "SELECT number FROM generations WHERE projection = $1 ORDER BY turn DESC LIMIT 1",
        projection,
    )
    return int(rows[0][0])


async def same_rows(settings: Settings, schema: str) -> bool:
    for table in TABLES:
        rows = await fetch(
            settings,
            f"(TABLE public.{table} EXCEPT TABLE {schema}.{table})"
            f" UNION ALL (TABLE {schema}.{table} EXCEPT TABLE public.{table})",
        )
        if rows:
            return False
    return True


async def test_a_rebuilt_library_is_equal_and_is_switched_to_and_back(settings: Settings) -> None:
    logs = [await events_log(settings), await events_log(settings, 1)]
    async with projecting(settings) as health:
        teams = [a_life(log) for log in logs]
        for log in logs:
            await caught_up(settings, await log.publish(), partition=log._partition)
        async with rebuilding(settings, "library") as work:
            compared = await work.rebuild(None)
            assert compared.findings.differences == []
            assert compared.findings.rows["history"] > 0
            await work.switch(compared, accept_difference=False)
        assert await live(settings) == 2
        assert (await verify(settings)).is_equal
        for log, team in zip(logs, teams, strict=True):
            a_life(log, team)
            await log.publish()

        async def both_are_fed() -> bool:
            return await same_rows(settings, "library_2") and (await verify(settings)).behind == 0

        await until(both_are_fed)
        assert (await verify(settings)).is_equal
        async with rebuilding(settings, "library") as work:
            back = await work.back()
            assert back == 1
            await work.switch(await work.compare(back), accept_difference=False)
            assert await live(settings) == 1
            with pytest.raises(GenerationError, match="is live"):
                await work.drop(1)
            await work.drop(2)
            with pytest.raises(GenerationError, match="no generation"):
                await work.compare(2)
        assert not health.ready()


async def test_a_wrong_row_is_found_and_switched_away_from_when_accepted(settings: Settings) -> None:
    log = await events_log(settings)
    a_life(log)
    async with projecting(settings):
        await caught_up(settings, await log.publish())
        await fetch(settings, "UPDATE changes SET item = '{}' WHERE sequence = 3")
        await fetch(settings, "DELETE FROM history WHERE sequence = 6")
        await fetch(settings, "UPDATE heads SET state = replace(state, 'high', 'low') WHERE stream <> 'team'")
        async with rebuilding(settings, "library") as work:
            compared = await work.rebuild(None)
            found = {(one.table, one.kind, one.sequence) for one in compared.findings.differences}
            assert {("changes", "altered", 3), ("history", "added", 6)} <= found
            assert ("heads", "altered", 3) in found
            with pytest.raises(Different):
                await work.switch(compared, accept_difference=False)
            assert await live(settings) == 1
            await work.switch(compared, accept_difference=True)
        assert (await verify(settings)).is_equal
        async with rebuilding(settings, "library") as work:
            await work.drop(1)
        assert (await verify(settings)).is_equal


async def test_outcomes_are_rebuilt_also_where_the_beginning_of_their_log_is_gone(settings: Settings) -> None:
    log = await outcomes_log(settings)
    for _ in range(50):
        answer(log.scribe)
    async with projecting(settings):
        await caught_up(settings, await log.publish(), OUTCOMES)
        async with rebuilding(settings, "outcomes") as work:
            compared = await work.rebuild(None)
            assert compared.is_equal
            await work.switch(compared, accept_difference=False)
            await work.drop(1)
        assert await live(settings, "outcomes") == 2
        assert (await fetch(settings, "SELECT count(*) FROM outcomes_2.outcomes")) == [(50,)]


async def test_two_rebuilds_at_once_are_one(settings: Settings) -> None:
    log = await events_log(settings)
    a_life(log)
    async with projecting(settings):
        await caught_up(settings, await log.publish())

        async def rebuild() -> bool:
            async with rebuilding(settings, "library") as work:
                return (await work.rebuild(20.0)).is_equal

        done = await asyncio.gather(rebuild(), rebuild(), return_exceptions=True)
    assert sorted(map(str, done)) == ["True", "another command works on generation 2 of library"]


async def test_health_tells_which_generation_is_being_filled(settings: Settings) -> None:
    log = await events_log(settings)
    a_life(log)
    async with projecting(settings) as health:
        await caught_up(settings, await log.publish())
        async with rebuilding(settings, "library") as work:
            filling = asyncio.create_task(work.rebuild(20.0))

            async def is_told() -> bool:
                return health.parts()["projection:library"] == "ok: generation 2 is being filled"

            await until(is_told)
            assert not health.ready()
            await filling

        async def is_fed() -> bool:
            return health.parts().get("projection:library_2") == "ok"

        await until(is_fed)
        assert health.parts()["projection:library"] == "ok"
