"""The pool in which passwords are hashed: bounded, off the event loop, and giving way to all other work."""

import asyncio
import multiprocessing
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import asynccontextmanager
from typing import ParamSpec, TypeVar

from identity.account_problems import busy
from identity.hashing import Verified, begin, hash_password, verify_password
from runtime.settings import Settings

P = ParamSpec("P")
T = TypeVar("T")

_WAIT_S = 2
"""When to ask again if the queue is full."""


class PasswordPool:
    """Hashes passwords in processes of its own, which start when they are first needed."""

    def __init__(self, *, cost: int, processes: int, most: int) -> None:
        self.cost = cost
        self._processes = processes
        self._most = most
        self._under_way = 0
        self._executor = self._create()

    def _create(self) -> ProcessPoolExecutor:
        # A fork would inherit sockets and threads of the process that serves.
        context = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(self._processes, mp_context=context, initializer=begin)

    async def hash(self, password: str) -> str:
        """The hash of a normalized password; raise `Problem` 503 `busy`."""
        return await self._run(hash_password, password, self.cost)

    async def verify(self, password: str, stored: str | None) -> Verified:
        """Whether it is the password of this hash; raise `Problem` 503 `busy`."""
        return await self._run(verify_password, password, stored, self.cost)

    def check_room(self) -> None:
        """Raise `Problem` 503 `busy` if no other password may wait."""
        if self._under_way >= self._most:
            raise busy(_WAIT_S)

    async def _run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        self.check_room()
        self._under_way += 1
        executor = self._executor
        try:
            return await asyncio.wrap_future(executor.submit(work, *args, **kwargs))
        except BrokenProcessPool:
            # A process was killed, and with it the whole pool; the next one to ask has a new pool.
            if executor is self._executor:
                self._executor = self._create()
                executor.shutdown(wait=False)
            raise busy(_WAIT_S) from None
        finally:
            self._under_way -= 1

    async def close(self) -> None:
        """End the processes; what waits is given up."""
        await asyncio.to_thread(self._executor.shutdown, wait=True, cancel_futures=True)


@asynccontextmanager
async def open_password_pool(settings: Settings) -> AsyncIterator[PasswordPool]:
    """A pool as long as a part lives."""
    pool = PasswordPool(
        cost=settings.bcrypt_cost, processes=settings.password_processes, most=settings.password_queue
    )
    try:
        yield pool
    finally:
        await pool.close()
