"""The guardian: what a devstack started is gone when the process that asked for it is."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from devstack.errors import DataDirInUse, DataDirUnusable, DevStackError, GuardianGone, UnsupportedPlatform
from devstack.guard import Guard

ROOT = Path(__file__).parents[2]
PATIENCE = 20.0

# A main process, a child in a session of its own with a child, and one whose own parent has ended.
TREE = "setsid sh -c 'sleep 1000 & sleep 1000' & (setsid sleep 1000 &) ; sleep 1000"
TREE_SIZE = 6  # two shells, four sleeps

PARENT = f"""
import os, sys, time
from pathlib import Path
from devstack.guard import Guard
guard = Guard(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
log = str(guard.folder / "log")
guard.request("start", name="tree", argv=["sh", "-c", {TREE!r}], cwd="/", env={{"PATH": os.environ["PATH"]}},
              stdin=os.devnull, log=log)
if os.environ.get("FORK") and os.fork() == 0:
    time.sleep(1000)
print(guard.folder, flush=True)
time.sleep(1000)
"""


@pytest.fixture
def guard() -> Iterator[Guard]:
    guard = Guard(None)
    yield guard
    guard.close()


def start(guard: Guard, name: str, *argv: str) -> int:
    log = str(guard.folder / f"{name}.log")
    environment = {"PATH": os.environ["PATH"]}
    request = {"argv": list(argv), "cwd": "/", "env": environment, "stdin": os.devnull, "log": log}
    return int(guard.request("start", name=name, **request)["pid"])


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "not within the time"
        time.sleep(0.01)


def family_of(parent: psutil.Process) -> list[psutil.Process]:
    """The parent's guardian, and every process below it."""
    wait_for(lambda: len(parent.children(recursive=True)) >= TREE_SIZE + 1)
    return parent.children(recursive=True)


@pytest.fixture
def start_parent() -> Iterator[Callable[..., tuple[psutil.Process, Path]]]:
    parents = []

    def start_one(*arguments: str, **environment: str) -> tuple[psutil.Process, Path]:
        parent = subprocess.Popen(
            [sys.executable, "-c", PARENT, *arguments],
            cwd=ROOT,
            env=dict(os.environ) | environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        parents.append(parent)
        assert parent.stdout is not None
        return psutil.Process(parent.pid), Path(parent.stdout.readline().strip())

    yield start_one
    for parent in parents:
        parent.kill()
        parent.communicate()


Starter = Callable[..., tuple[psutil.Process, Path]]


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_no_process_and_no_folder_outlives_the_parent(start_parent: Starter, end: signal.Signals) -> None:
    parent, folder = start_parent()
    family = family_of(parent)
    parent.send_signal(end)
    assert psutil.wait_procs(family, PATIENCE)[1] == []
    assert not folder.exists()


def test_stopped_processes_die_with_the_parent_too(start_parent: Starter) -> None:
    parent, folder = start_parent()
    guardian = parent.children()[0]
    family = family_of(parent)
    for process in family:
        if process != guardian:
            process.suspend()
    parent.kill()
    assert psutil.wait_procs(family, PATIENCE)[1] == []
    assert not folder.exists()


def test_a_process_forked_off_the_parent_does_not_keep_the_services_alive(start_parent: Starter) -> None:
    parent, folder = start_parent(FORK="yes")
    forked = next(child for child in parent.children() if child.cmdline() == parent.cmdline())
    services = [process for process in family_of(parent) if process != forked]
    parent.kill()
    try:
        assert psutil.wait_procs(services, PATIENCE)[1] == []
        assert not folder.exists()
        assert forked.is_running()
    finally:
        forked.kill()


def test_a_given_folder_is_kept_and_free_again_when_the_parent_is_gone(
    start_parent: Starter, tmp_path: Path
) -> None:
    parent, folder = start_parent(str(tmp_path))
    family = family_of(parent)
    parent.kill()
    psutil.wait_procs(family, PATIENCE)
    assert folder == tmp_path
    assert (tmp_path / "log").exists()
    Guard(tmp_path).close()


def test_services_die_with_their_guardian_and_who_asks_is_told() -> None:
    guard = Guard(None)
    main = psutil.Process(start(guard, "main", "sleep", "1000"))
    psutil.Process(guard._process.pid).kill()
    assert psutil.wait_procs([main], PATIENCE)[1] == []
    with pytest.raises(GuardianGone):
        guard.request("status", name="main")
    guard.close()
    shutil.rmtree(guard.folder)  # no one else is left to do it


def test_killing_a_service_kills_all_it_started_and_no_other_service(guard: Guard) -> None:
    start(guard, "other", "sleep", "1000")
    main = psutil.Process(start(guard, "tree", "sh", "-c", TREE))
    wait_for(lambda: len(main.children(recursive=True)) >= TREE_SIZE - 2)
    family = [main, *main.children(recursive=True)]
    guard.request("kill", name="tree")
    assert not any(process.is_running() for process in family)
    status = guard.request("status", name="tree")
    assert (status["running"], status["exit"]) == (False, -signal.SIGKILL)
    assert guard.request("status", name="other")["running"]


def test_what_an_ended_service_left_running_is_killed_before_it_counts_as_gone(guard: Guard) -> None:
    pid_file = guard.folder / "left"
    start(guard, "daemon", "sh", "-c", f"setsid sleep 1000 & echo $! > {pid_file}")
    wait_for(lambda: not guard.request("status", name="daemon")["running"])
    assert not psutil.pid_exists(int(pid_file.read_text()))


def test_a_paused_service_stands_still_with_all_it_started_until_it_is_resumed(guard: Guard) -> None:
    main = psutil.Process(start(guard, "tree", "sh", "-c", TREE))
    wait_for(lambda: len(main.children(recursive=True)) >= TREE_SIZE - 2)
    family = [main, *main.children(recursive=True)]
    guard.request("pause", name="tree")
    assert {process.status() for process in family} == {psutil.STATUS_STOPPED}
    guard.request("resume", name="tree")
    wait_for(lambda: psutil.STATUS_STOPPED not in {process.status() for process in family})


def test_a_paused_service_can_be_killed(guard: Guard) -> None:
    main = psutil.Process(start(guard, "main", "sleep", "1000"))
    guard.request("pause", name="main")
    guard.request("kill", name="main")
    assert not main.is_running()


def test_a_program_that_is_not_there_is_refused(guard: Guard) -> None:
    with pytest.raises(OSError, match="no-such-program"):
        start(guard, "missing", "/no-such-program")


def test_shared_memory_of_killed_processes_is_removed() -> None:
    guard = Guard(None)
    number = guard.folder / "number"
    start(guard, "memory", sys.executable, "-c", MAKE_SEGMENT, str(number))
    wait_for(lambda: number.exists() and number.read_text().endswith("\n"))
    segment = int(number.read_text())
    assert segment in segments()
    guard.close()
    assert segment not in segments()


MAKE_SEGMENT = """
import ctypes, pathlib, sys, time
segment = ctypes.CDLL(None).shmget(0, 4096, 0o1600)
pathlib.Path(sys.argv[1]).write_text(f"{segment}\\n")
time.sleep(1000)
"""


def segments() -> set[int]:
    return {int(line.split()[1]) for line in Path("/proc/sysvipc/shm").read_text().splitlines()[1:]}


def test_a_folder_has_one_stack_at_a_time_and_the_second_is_told_whose_it_is(tmp_path: Path) -> None:
    first = Guard(tmp_path)
    with pytest.raises(DataDirInUse, match=f"process {os.getpid()}"):
        Guard(tmp_path)
    first.close()
    Guard(tmp_path).close()


def test_a_folder_that_can_not_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DataDirUnusable, match="file/data"):
        Guard(tmp_path / "file" / "data")


def test_a_parent_that_goes_without_reading_the_answer_is_no_error(capfd: pytest.CaptureFixture[str]) -> None:
    guard = Guard(None)
    start(guard, "main", "sleep", "1000")
    guard._socket.sendall(b'{"op": "status", "name": "main", "id": 0}\n')
    wait_for(lambda: bool(guard._socket.recv(1, socket.MSG_PEEK)))
    guard._lines.close()
    guard._socket.close()
    assert guard._process.wait(PATIENCE) == 0
    assert capfd.readouterr().err == ""


def test_what_can_not_be_asked_for_is_refused(guard: Guard) -> None:
    start(guard, "main", "sleep", "1000")
    with pytest.raises(OSError, match="dance"):
        guard.request("dance", name="main")


def test_the_answer_to_an_interrupted_request_is_not_taken_for_the_next_one(guard: Guard) -> None:
    start(guard, "main", "sleep", "1000")
    guard._send({"op": "kill", "name": "main", "id": -1})
    assert guard.request("status", name="main")["exit"] == -signal.SIGKILL


def test_a_process_forked_off_the_owner_can_ask_for_nothing(
    guard: Guard, monkeypatch: pytest.MonkeyPatch
) -> None:
    start(guard, "main", "sleep", "1000")
    owner = os.getpid()
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(os, "getpid", lambda: owner + 1)
        with pytest.raises(DevStackError, match="forked"):
            guard.request("kill", name="main")
        guard.close()
    assert guard.request("status", name="main")["running"]


def test_elsewhere_than_on_linux_the_user_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(UnsupportedPlatform, match="Linux"):
        Guard(None)


def test_closing_twice_does_no_harm() -> None:
    guard = Guard(None)
    guard.close()
    guard.close()
    assert not guard.folder.exists()
