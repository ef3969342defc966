"""Passwords are hashed at a bounded cost to everything else, and as long for nobody as for somebody."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from typing import Any

import psutil
import pytest

from identity import hashing
from identity.hashing import LOWEST_PRIORITY, cost_of, hash_password, nobodys_hash, verify_password
from identity.passwords import PasswordPool
from runtime.problems import Problem
from tests.accounts import CHEAPEST, PASSWORD, cheap_pool
from tests.waiting import eventually

LEAVES_WORKERS = """
import asyncio, psutil
from identity.passwords import PasswordPool

async def main():
    pool = PasswordPool(cost=4, processes=2, most=9)
    await asyncio.gather(*(pool.hash("x") for _ in range(6)))
    print(*(child.pid for child in psutil.Process().children(recursive=True)), flush=True)
    await asyncio.gather(*(PasswordPool(cost=18, processes=1, most=9).hash("x") for _ in range(2)))

if __name__ == "__main__":
    asyncio.run(main())
"""


@pytest.fixture
async def pool() -> AsyncIterator[PasswordPool]:
    pool = cheap_pool()
    yield pool
    await pool.close()


def workers() -> list[psutil.Process]:
    """The pool's processes: those of lower priority than this one."""
    return [child for child in psutil.Process().children() if child.nice() == LOWEST_PRIORITY]


async def test_the_pool_tells_the_right_password_from_the_wrong_one(pool: PasswordPool) -> None:
    stored = await pool.hash(PASSWORD)
    assert stored.startswith("$bcrypt-sha256$v=2,")
    assert PASSWORD not in stored
    assert await pool.hash(PASSWORD) != stored
    assert (await pool.verify(PASSWORD, stored)).right
    assert not (await pool.verify(PASSWORD + "x", stored)).right
    assert not (await pool.verify(PASSWORD, None)).right


async def test_every_character_counts_also_past_those_that_bcrypt_reads(pool: PasswordPool) -> None:
    long = "\u4e2d" * 1024
    stored = await pool.hash(long)
    assert (await pool.verify(long, stored)).right
    assert not (await pool.verify(long[:-1] + "x", stored)).right


async def test_the_pool_has_no_process_before_it_is_asked_and_gives_way_to_all_others() -> None:
    before = len(workers())
    pool = cheap_pool()
    assert len(workers()) == before
    await pool.hash(PASSWORD)
    assert len(workers()) == before + 1
    await pool.close()
    assert len(workers()) == before


async def test_more_than_may_wait_are_told_that_it_is_busy(pool: PasswordPool) -> None:
    pool._most = 3
    ended = await asyncio.gather(*(pool.hash(PASSWORD) for _ in range(5)), return_exceptions=True)
    refused = [end for end in ended if isinstance(end, Problem)]
    assert [(end.code, end.status) for end in refused] == [("busy", 503)] * 2
    assert refused[0].headers is not None
    assert "Retry-After" in refused[0].headers
    assert await pool.hash(PASSWORD)


async def test_a_pool_whose_process_is_killed_has_a_new_one(pool: PasswordPool) -> None:
    known = set(workers())
    await pool.hash(PASSWORD)
    (worker,) = set(workers()) - known
    pool.cost = 18
    hashing_long = asyncio.ensure_future(pool.hash(PASSWORD))
    await asyncio.sleep(0)
    worker.kill()
    with pytest.raises(Problem, match="busy"):
        await hashing_long
    pool.cost = CHEAPEST
    assert await pool.hash(PASSWORD)


async def test_what_is_given_up_leaves_room_for_others(pool: PasswordPool) -> None:
    pool._most = 2
    waiting = [asyncio.ensure_future(pool.hash(PASSWORD)) for _ in range(2)]
    await asyncio.sleep(0)
    for one in waiting:
        one.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert await pool.hash(PASSWORD)


def killed_with_children() -> list[psutil.Process]:
    """The children of a process that had a pool and was killed while they worked."""
    with subprocess.Popen(
        [sys.executable, "-c", LEAVES_WORKERS], stdout=subprocess.PIPE, text=True
    ) as parent:
        try:
            assert parent.stdout is not None
            return [psutil.Process(int(pid)) for pid in parent.stdout.readline().split()]
        finally:
            parent.kill()


async def test_the_processes_end_with_a_parent_that_is_killed() -> None:
    children = await asyncio.to_thread(killed_with_children)
    assert len(children) >= 2

    async def all_ended() -> bool:
        return not any(child.is_running() and child.status() != psutil.STATUS_ZOMBIE for child in children)

    await eventually(all_ended)


def work_of(monkeypatch: pytest.MonkeyPatch, stored: str | None, cost: int) -> int:
    """The rounds that a wrong password costs."""
    spent = []
    library = hashing._library()

    class Counting:
        from_string = library.from_string

        @classmethod
        def using(cls, **options: Any) -> Any:
            return cls

        @staticmethod
        def verify(secret: str, against: str) -> bool:
            spent.append(2 ** cost_of(against))
            assert not library.verify(secret, against)
            return False

    with monkeypatch.context() as patch:
        patch.setattr(hashing, "_library", lambda: Counting)
        assert not verify_password(PASSWORD + "x", stored, cost).right
    return sum(spent)


def test_nobodys_password_takes_as_long_as_anybodys(monkeypatch: pytest.MonkeyPatch) -> None:
    for older in (4, 5, 6, 7):
        stored = hash_password(PASSWORD, older)
        assert work_of(monkeypatch, stored, 7) == work_of(monkeypatch, None, 7) == 2**7


def test_a_hash_is_renewed_when_the_cost_has_risen_and_not_when_it_has_fallen() -> None:
    stored = hash_password(PASSWORD, 5)
    assert cost_of(nobodys_hash(5)) == cost_of(stored) == 5
    renewed = verify_password(PASSWORD, stored, 6)
    assert renewed.right
    assert renewed.new_hash is not None
    assert cost_of(renewed.new_hash) == 6
    for cost in (5, 4):
        assert verify_password(PASSWORD, stored, cost).new_hash is None
