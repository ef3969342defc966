"""A managed process: ready, failed, stopped, killed, started again; small programs are the services."""

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from signal import SIGKILL, SIGTERM

import pytest

from devstack.errors import PortTaken, ServiceError, ServiceStartFailed
from devstack.guard import Guard
from devstack.process import PORT_ATTEMPTS, ManagedProcess, Program, retry_on_taken_port, run_to_end

SERVE = "print('up', flush=True); import time; time.sleep(1000)"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + SERVE


@pytest.fixture
def guard() -> Iterator[Guard]:
    guard = Guard(None)
    yield guard
    guard.close()


Make = Callable[..., ManagedProcess]


@pytest.fixture
def make(guard: Guard) -> Make:
    def process(code: str, start_timeout: float = 20.0, stop_timeout: float = 20.0) -> ManagedProcess:
        program = Program(
            name="sample",
            argv=[sys.executable, "-S", "-c", code],
            cwd=guard.folder,
            log=guard.folder / "sample.log",
            ready=lambda launch: "up" in launch.log_text(),
            env={"PATH": os.environ["PATH"]},
            start_timeout=start_timeout,
            stop_timeout=stop_timeout,
        )
        return ManagedProcess(guard, program)

    return process


def test_it_is_started_when_it_is_ready_and_has_a_pid(make: Make) -> None:
    process = make(SERVE)
    assert not process.is_running()
    process.start()
    assert process.is_running()
    assert process.pid is not None
    assert process.log_tail() == "up"


def test_a_program_that_ends_at_once_is_reported_with_its_log(make: Make) -> None:
    process = make("print('first'); print('the reason'); raise SystemExit(3)")
    with pytest.raises(
        ServiceStartFailed, match=r"(?s)sample: it ended with exit code 3.*the reason"
    ) as raised:
        process.start()
    assert raised.value.service == "sample"
    assert raised.value.log_tail == "first\nthe reason"


def test_a_program_that_is_never_ready_is_killed_and_reported(make: Make) -> None:
    process = make("print('starting', flush=True); import time; time.sleep(1000)", start_timeout=0.5)
    with pytest.raises(ServiceStartFailed, match=r"(?s)not ready within 0.5 s.*starting"):
        process.start()
    assert not process.is_running()


def test_only_the_last_run_counts_in_the_log(make: Make) -> None:
    process = make(SERVE)
    process.start()
    process.stop()
    failing = make("raise SystemExit('down')", start_timeout=20.0)
    with pytest.raises(ServiceStartFailed) as raised:
        failing.start()
    assert raised.value.log_tail == "down"
    assert "up\ndown" in failing.log_tail()


def test_starting_what_runs_is_refused(make: Make) -> None:
    process = make(SERVE)
    process.start()
    with pytest.raises(ServiceStartFailed, match="runs already"):
        process.start()


def test_stopping_asks_first(make: Make) -> None:
    process = make(SERVE)
    process.start()
    process.stop()
    assert process.wait(0) == -SIGTERM


def test_stopping_kills_what_does_not_listen(make: Make) -> None:
    process = make(STUBBORN, stop_timeout=0.3)
    process.start()
    process.stop()
    assert process.wait(0) == -SIGKILL


def test_a_paused_process_can_be_stopped_in_good_order(make: Make) -> None:
    process = make(SERVE)
    process.start()
    process.pause()
    assert process.is_running()
    process.stop()
    assert process.wait(0) == -SIGTERM


def test_it_can_be_killed_and_started_again(make: Make) -> None:
    process = make(SERVE)
    process.start()
    before = process.pid
    process.kill()
    assert not process.is_running()
    process.start()
    assert process.pid not in {None, before}


def test_restarting_replaces_the_process(make: Make) -> None:
    process = make(SERVE)
    process.start()
    before = process.pid
    process.restart()
    assert process.pid not in {None, before}


def test_what_never_ran_can_be_stopped_killed_paused_and_resumed(make: Make) -> None:
    process = make(SERVE)
    process.stop()
    process.kill()
    process.pause()
    process.resume()
    assert not process.is_running()


def test_a_program_that_finds_its_port_taken_is_told_apart(make: Make) -> None:
    process = make("raise SystemExit('java.net.BindException: Address already in use')")
    with pytest.raises(PortTaken):
        process.start()


def test_a_taken_port_is_tried_anew_and_at_last_reported() -> None:
    attempts: list[int] = []

    def start() -> None:
        attempts.append(len(attempts))
        if len(attempts) < 3:
            raise PortTaken("sample", "taken")

    retry_on_taken_port(start)
    assert len(attempts) == 3

    def never() -> None:
        attempts.append(0)
        raise PortTaken("sample", "taken")

    attempts.clear()
    with pytest.raises(PortTaken):
        retry_on_taken_port(never)
    assert len(attempts) == PORT_ATTEMPTS


def test_another_failure_is_not_tried_anew() -> None:
    attempts: list[int] = []

    def start() -> None:
        attempts.append(0)
        raise ServiceStartFailed("sample", "broken")

    with pytest.raises(ServiceStartFailed):
        retry_on_taken_port(start)
    assert len(attempts) == 1


def one_shot(guard: Guard, code: str, seconds: float = 20.0) -> Program:
    return Program(
        name="job",
        argv=[sys.executable, "-S", "-c", code],
        cwd=guard.folder,
        log=guard.folder / "job.log",
        ready=lambda _launch: True,
        start_timeout=seconds,
    )


def test_a_job_is_waited_for(guard: Guard) -> None:
    run_to_end(guard, one_shot(guard, "open('done', 'w').close()"))
    assert (guard.folder / "done").exists()


def test_a_job_that_fails_is_reported_with_its_log(guard: Guard) -> None:
    with pytest.raises(ServiceStartFailed, match=r"(?s)job: .*exit code 1.*no luck"):
        run_to_end(guard, one_shot(guard, "raise SystemExit('no luck')"))


def test_a_job_that_does_not_end_is_killed_and_reported(guard: Guard, tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    code = f"import os, time; open({str(pid_file)!r}, 'w').write(str(os.getpid())); time.sleep(1000)"
    with pytest.raises(ServiceError, match="no end within 1 s"):
        run_to_end(guard, one_shot(guard, code, seconds=1))
    assert not Path(f"/proc/{pid_file.read_text()}").exists()
