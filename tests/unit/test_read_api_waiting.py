"""Waiting for a cursor: one look serves all who wait, and each gets an answer of its own."""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager

import pytest

from events.cursor import Cursor
from read_api.positions import Position
from read_api.problems import DatabaseUnavailable
from read_api.waiting import Visibility
from runtime.problems import Problem

LOG = "0190a5d0-0000-7000-8000-000000000001"
OTHER_LOG = "0190a5d0-0000-7000-8000-000000000002"
TEAM = "0190a5d0-0000-7000-8000-00000000000a"
OTHER_TEAM = "0190a5d0-0000-7000-8000-00000000000b"


class Projection:
    """Teams' positions that a test moves; counts how often it was looked at, and for whom."""

    def __init__(self) -> None:
        self.at: dict[str, Position] = {}
        self.looks: list[set[str]] = []
        self.fails = False
        self._looked = asyncio.Condition()

    def move(self, team_id: str, sequence: int, log_id: str = LOG) -> None:
        self.at[team_id] = Position(log_id=log_id, team_id=team_id, sequence=sequence)

    async def look(self, teams: Collection[str]) -> Mapping[str, Position]:
        self.looks.append(set(teams))
        async with self._looked:
            self._looked.notify_all()
        if self.fails:
            raise DatabaseUnavailable("away")
        return {team: self.at[team] for team in teams if team in self.at}

    async def looked(self, times: int) -> None:
        """Wait until it was looked at so often more."""
        until = len(self.looks) + times
        async with self._looked:
            await self._looked.wait_for(lambda: len(self.looks) >= until)


@asynccontextmanager
async def running(projection: Projection) -> AsyncIterator[Visibility]:
    visibility = Visibility(projection.look, LOG)
    task = asyncio.create_task(visibility.run())
    try:
        yield visibility
    finally:
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()


def cursor(sequence: int, team_id: str = TEAM, log_id: str = LOG) -> Cursor:
    return Cursor(log_id=log_id, team_id=team_id, sequence=sequence)


async def test_what_is_visible_needs_one_look_and_no_waiting() -> None:
    projection = Projection()
    projection.move(TEAM, 5)
    async with running(projection) as visibility:
        await visibility.wait(cursor(5), timeout_s=0)
        await visibility.wait(cursor(1), timeout_s=0)
    assert len(projection.looks) == 2


async def test_a_waiter_goes_on_once_the_projection_is_there() -> None:
    projection = Projection()
    projection.move(TEAM, 4)
    async with running(projection) as visibility:
        waiting = asyncio.create_task(visibility.wait(cursor(6), timeout_s=60))
        await projection.looked(3)
        projection.move(TEAM, 5)
        await projection.looked(3)
        assert not waiting.done()
        projection.move(TEAM, 6)
        await waiting


async def test_a_team_may_become_visible_while_its_first_writer_waits() -> None:
    projection = Projection()
    async with running(projection) as visibility:
        waiting = asyncio.create_task(visibility.wait(cursor(1), timeout_s=60))
        await projection.looked(3)
        projection.move(TEAM, 1)
        await waiting


async def test_many_waiters_of_many_teams_share_each_look() -> None:
    projection = Projection()
    async with running(projection) as visibility:
        waiting = [
            asyncio.create_task(visibility.wait(cursor(number, team), timeout_s=60))
            for number in range(1, 101)
            for team in (TEAM, OTHER_TEAM)
        ]
        await projection.looked(len(waiting) + 5)
        assert projection.looks[-4:] == [{TEAM, OTHER_TEAM}] * 4
        projection.move(TEAM, 100)
        projection.move(OTHER_TEAM, 99)
        await projection.looked(3)
        done = [task.done() for task in waiting]
        assert done.count(False) == 1
        projection.move(OTHER_TEAM, 100)
        await asyncio.gather(*waiting)


async def test_nobody_looks_when_nobody_waits() -> None:
    projection = Projection()
    async with running(projection) as visibility:
        with pytest.raises(Problem, match="not_yet_visible"):
            await visibility.wait(cursor(1), timeout_s=0.05)
        # At most the one look that was due when the last waiter left.
        before = len(projection.looks)
        await asyncio.sleep(0.2)
        assert len(projection.looks) <= before + 1


async def test_a_time_out_says_when_to_come_again() -> None:
    async with running(Projection()) as visibility:
        with pytest.raises(Problem) as raised:
            await visibility.wait(cursor(1), timeout_s=0)
    assert (raised.value.status, raised.value.headers) == (503, {"Retry-After": "1"})


async def test_a_cursor_of_another_log_is_not_waited_for() -> None:
    projection = Projection()
    projection.move(TEAM, 5)
    async with running(projection) as visibility:
        for team in (TEAM, OTHER_TEAM):
            with pytest.raises(Problem, match="log_changed"):
                await visibility.wait(cursor(1, team, OTHER_LOG), timeout_s=60)


async def test_a_log_that_changes_meanwhile_ends_the_waiting() -> None:
    projection = Projection()
    async with running(projection) as visibility:
        waiting = asyncio.create_task(visibility.wait(cursor(9), timeout_s=60))
        await projection.looked(3)
        projection.move(TEAM, 9, OTHER_LOG)
        with pytest.raises(Problem, match="log_changed"):
            await waiting


async def test_a_database_that_goes_away_ends_the_waiting_and_others_can_wait_again() -> None:
    projection = Projection()
    async with running(projection) as visibility:
        waiting = asyncio.create_task(visibility.wait(cursor(1), timeout_s=60))
        await projection.looked(3)
        projection.fails = True
        with pytest.raises(DatabaseUnavailable):
            await waiting
        projection.fails = False
        again = asyncio.create_task(visibility.wait(cursor(1), timeout_s=60))
        await projection.looked(3)
        projection.move(TEAM, 1)
        await again


async def test_a_client_that_gives_up_leaves_nothing_behind() -> None:
    projection = Projection()
    async with running(projection) as visibility:
        waiting = asyncio.create_task(visibility.wait(cursor(1), timeout_s=60))
        await projection.looked(3)
        waiting.cancel()
        await asyncio.wait([waiting])
        with pytest.raises(Problem, match="not_yet_visible"):
            await visibility.wait(cursor(1, OTHER_TEAM), timeout_s=0.05)
        assert projection.looks[-1] == {OTHER_TEAM}
