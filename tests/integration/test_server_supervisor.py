"""A supervisor keeps its children running, and none outlives it: real processes, real signals."""

import os
import signal
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import psutil
import pytest

from tests.processes import Running, running, until


def supervisor(folder: Path, *programs: str) -> AbstractAsyncContextManager[Running]:
    return running(["-m", "tests.one_supervisor", *programs], folder)


async def pid_of(process: Running, name: str, start: int = 1) -> int:
    """The process id of a child's n-th start."""
    text = f"{name} starts"
    while len(starts := [line for line in process.lines if line.startswith(text)]) < start:
        await process.next_line()
    return int(starts[start - 1].split()[-1])


def is_gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_stops_every_child_in_the_order_of_the_stages(
    tmp_path: Path, number: signal.Signals
) -> None:
    async with supervisor(tmp_path, "last:2:works", "first:0:works", "middle:1:works") as process:
        for name in ("first", "middle", "last"):
            await pid_of(process, name)
        code, errors = await process.end(by=number)
    assert (code, errors) == (0, "")
    stops = [line.split()[0] for line in process.lines if line.endswith(" stops\n")]
    assert stops == ["first", "middle", "last"]


async def test_a_child_that_is_killed_is_started_again(tmp_path: Path) -> None:
    async with supervisor(tmp_path, "a:0:works", "b:0:works") as process:
        other = await pid_of(process, "b")
        os.kill(await pid_of(process, "a"), signal.SIGKILL)
        assert not is_gone(await pid_of(process, "a", start=2))
        assert not is_gone(other)
        assert (await process.end(by=signal.SIGTERM))[0] == 0
    (ended,) = (event for event in process.events() if event["event"] == "child ended")
    assert (ended["child"], ended["exit_code"]) == ("a", -signal.SIGKILL)


async def test_a_child_that_fails_again_and_again_is_started_at_growing_intervals(tmp_path: Path) -> None:
    async with supervisor(tmp_path, "a:0:fails") as process:
        await pid_of(process, "a", start=5)
        await process.end(by=signal.SIGTERM)
    pauses = [event["start_again_in_s"] for event in process.events() if event["event"] == "child ended"]
    assert pauses[:4] == [0.1, 0.2, 0.4, 0.4]


async def test_a_child_that_is_misconfigured_ends_everything(tmp_path: Path) -> None:
    async with supervisor(tmp_path, "a:0:works", "b:0:is misconfigured") as process:
        code, errors = await process.end()
    assert (code, errors) == (2, "")
    assert sum(line.startswith("b starts") for line in process.lines) == 1


async def test_a_child_that_does_not_stop_is_killed(tmp_path: Path) -> None:
    async with supervisor(tmp_path, "a:0:does not stop", "b:1:works") as process:
        stubborn = await pid_of(process, "a")
        await pid_of(process, "b")
        code, _ = await process.end(by=signal.SIGTERM)
    assert code == 1
    assert is_gone(stubborn)
    assert "b stops\n" in process.lines
    assert [event["child"] for event in process.events() if event["event"] == "child killed"] == ["a"]


async def test_children_end_when_the_supervisor_is_killed(tmp_path: Path) -> None:
    async with supervisor(tmp_path, "a:0:works", "b:0:does not stop") as process:
        children = [await pid_of(process, name) for name in ("a", "b")]
        process.process.send_signal(signal.SIGKILL)
        await until(lambda: all(map(is_gone, children)))
        code, _ = await process.end()
    assert code == -signal.SIGKILL
    assert "a stops\n" in process.lines
