"""`python -m devstack`, as a user starts it and as it comes to an end."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).parents[2]
PATIENCE = 60.0

pytestmark = pytest.mark.devstack


class CommandLine:
    """A devstack that runs in a process of its own, with all its descendants."""

    def __init__(self, folder: Path) -> None:
        self.temporary = folder / "temporary"
        self.temporary.mkdir()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "devstack", "--print-env", str(folder / "env")],
            cwd=ROOT,
            env=os.environ | {"TMPDIR": str(self.temporary)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._wait_for(folder / "env")
        self.environment = (folder / "env").read_text()
        self.descendants = psutil.Process(self.process.pid).children(recursive=True)

    def _wait_for(self, file: Path) -> None:
        deadline = time.monotonic() + PATIENCE
        while not file.exists():
            assert self.process.poll() is None, self.process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def service(self, name: str) -> psutil.Process:
        return next(process for process in self.descendants if process.name() == name)

    def assert_that_nothing_is_left(self) -> None:
        assert psutil.wait_procs(self.descendants, PATIENCE)[1] == []
        assert list(self.temporary.iterdir()) == []
        creators = {int(line.split()[4]) for line in Path("/proc/sysvipc/shm").read_text().splitlines()[1:]}
        assert creators.isdisjoint(process.pid for process in self.descendants)


@pytest.fixture
def command_line(tmp_path: Path) -> Iterator[CommandLine]:
    running = CommandLine(tmp_path)
    yield running
    running.process.kill()
    running.process.communicate()


def test_it_says_where_the_services_are_and_ends_on_sigterm(command_line: CommandLine) -> None:
    command_line.process.terminate()
    out, err = command_line.process.communicate(timeout=PATIENCE)
    assert command_line.process.returncode == 0
    assert out == command_line.environment
    names = [line.removeprefix("export ").split("=")[0] for line in out.splitlines()]
    assert names == ["PATTERNLOG_KAFKA_BOOTSTRAP", "PATTERNLOG_POSTGRES_DSN", "PATTERNLOG_REDIS_URL"]
    assert "Kafka, PostgreSQL and Redis are up" in err
    command_line.assert_that_nothing_is_left()


def test_nothing_is_left_when_it_is_killed_even_of_services_that_stand_still(
    command_line: CommandLine,
) -> None:
    services = [process for process in command_line.descendants if process.ppid() != command_line.process.pid]
    assert {process.name() for process in services} >= {"java", "postgres", "redis-server"}
    for process in services:
        process.suspend()
    command_line.process.send_signal(signal.SIGKILL)
    command_line.assert_that_nothing_is_left()


def test_it_ends_and_says_so_when_a_service_has_ended(command_line: CommandLine) -> None:
    command_line.service("redis-server").kill()
    _, err = command_line.process.communicate(timeout=PATIENCE)
    assert command_line.process.returncode == 1
    assert "redis: it has ended; its log ends with:" in err
    command_line.assert_that_nothing_is_left()
