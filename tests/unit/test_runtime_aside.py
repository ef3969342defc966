"""Work in a process of its own: what it reports, how it fails, and that it ends with its parent."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from projectors.errors import Broken
from runtime.aside import EndedEarly, run_aside

ROOT = Path(__file__).parents[2]


async def counting(end: int, report: Callable[[int], None]) -> int:
    for number in range(end):
        report(number)
    # What prints does no harm.
    sys.stdout.write("printed\n")
    return os.getpid()


async def failing(reason: str, report: Callable[[int], None]) -> None:
    raise Broken(7, reason)


async def lasting(_: None, report: Callable[[int], None]) -> None:
    report(os.getpid())
    await asyncio.Event().wait()


async def gone(pid: int) -> None:
    async with asyncio.timeout(30):
        while psutil.pid_exists(pid):  # noqa: ASYNC110 - of another process
            await asyncio.sleep(0.02)


async def test_what_is_reported_comes_in_order_and_then_the_result() -> None:
    told: list[int] = []
    assert await run_aside(counting, 1_000, told.append) != os.getpid()
    assert told == list(range(1_000))


async def test_an_error_comes_back_as_it_is() -> None:
    with pytest.raises(Broken) as broken:
        await run_aside(failing, "no such event", lambda _: None)
    assert (broken.value.offset, broken.value.reason) == (7, "no such event")


async def test_a_process_that_is_killed_is_an_error() -> None:
    with pytest.raises(EndedEarly, match="-9"):
        await run_aside(lasting, None, lambda pid: os.kill(pid, signal.SIGKILL))


async def test_a_process_ends_when_it_is_no_longer_waited_for() -> None:
    begun = asyncio.get_running_loop().create_future()
    running = asyncio.create_task(run_aside(lasting, None, begun.set_result))
    pid = await begun
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await gone(pid)


_PARENT = """
import asyncio
from runtime.aside import run_aside
from tests.unit.test_runtime_aside import lasting
asyncio.run(run_aside(lasting, None, lambda pid: print(pid, flush=True)))
"""


@pytest.mark.parametrize("by", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
async def test_a_process_ends_however_its_parent_ends(by: signal.Signals) -> None:
    parent = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _PARENT), stdout=PIPE, stderr=PIPE, cwd=ROOT
    )
    assert parent.stdout is not None
    pid = int(await parent.stdout.readline())
    parent.send_signal(by)
    await parent.communicate()
    await gone(pid)
