"""Waiting until the read models have come to a cursor: read your writes."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field

from events.cursor import Cursor
from read_api.positions import Position, check_log
from read_api.problems import DatabaseUnavailable, not_yet_visible
from runtime.problems import Problem

INTERVAL_S = 0.01

Look = Callable[[Collection[str]], Awaitable[Mapping[str, Position]]]
"""The positions of those teams that have one."""


@dataclass(eq=False, slots=True)
class _Waiter:
    cursor: Cursor
    seen: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Visibility:
    """Answers whether the read models show what a cursor names. One query looks for all who wait."""

    def __init__(self, look: Look, log_id: str) -> None:
        self._look = look
        self._log_id = log_id
        self._waiters: set[_Waiter] = set()
        self._wanted = asyncio.Event()

    async def wait(self, cursor: Cursor, timeout_s: float) -> None:
        """Return once the cursor's sequence is visible.

        Raise `Problem` 503 `not_yet_visible` on time-out, 410 `log_changed` for a cursor of another log.
        """
        if self._is_visible(cursor, await self._look([cursor.team_id])):
            return
        waiter = _Waiter(cursor)
        self._waiters.add(waiter)
        self._wanted.set()
        try:
            async with asyncio.timeout(timeout_s):
                await waiter.seen
        except TimeoutError:
            raise not_yet_visible() from None
        finally:
            self._waiters.discard(waiter)

    async def run(self) -> None:
        """Look on behalf of those who wait, as long as the process runs."""
        while True:
            await self._wanted.wait()
            await self._look_once()
            await asyncio.sleep(INTERVAL_S)
            if not self._waiters:
                self._wanted.clear()

    async def _look_once(self) -> None:
        asked = tuple(self._waiters)
        try:
            found = await self._look({waiter.cursor.team_id for waiter in asked})
        except DatabaseUnavailable as error:
            for waiter in asked:
                _settle(waiter, error)
            return
        for waiter in asked:
            try:
                if self._is_visible(waiter.cursor, found):
                    _settle(waiter, None)
            except Problem as problem:
                _settle(waiter, problem)

    def _is_visible(self, cursor: Cursor, found: Mapping[str, Position]) -> bool:
        """Raise `Problem` 410 `log_changed`; of a team not seen yet, the log is the one that Kafka holds."""
        position = found.get(cursor.team_id)
        check_log(cursor, position.log_id if position else self._log_id)
        return position is not None and position.sequence >= cursor.sequence


def _settle(waiter: _Waiter, problem: Problem | None) -> None:
    if waiter.seen.done():
        return
    if problem is None:
        waiter.seen.set_result(None)
    else:
        waiter.seen.set_exception(problem)
