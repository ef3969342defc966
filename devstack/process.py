"""One managed process: start until ready, stop, kill, pause, resume, restart, and what its log says."""

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from signal import SIGTERM, Signals

from devstack.errors import PortTaken, ServiceError, ServiceStartFailed
from devstack.guard import Guard

POLL_SECONDS = 0.02
TAIL_LINES = 20
PORT_ATTEMPTS = 4
ENVIRONMENT = {"PATH": os.defpath, "LANG": "C.UTF-8", "TZ": "UTC"}  # nothing of the user's own
PORT_TAKEN = ("Address already in use", "Address in use")


@dataclass(frozen=True, kw_only=True)
class Launch:
    """One run of a program, as its ready check sees it."""

    pid: int
    log: Path
    log_start: int

    def log_text(self) -> str:
        """What this run has logged so far."""
        with self.log.open("rb") as file:
            file.seek(self.log_start)
            return file.read().decode(errors="replace")


@dataclass(frozen=True, kw_only=True)
class Program:
    """How to run something: `ready` tells whether it can be used, times are in seconds."""

    name: str
    argv: Sequence[str]
    cwd: Path
    log: Path
    ready: Callable[[Launch], bool]
    env: Mapping[str, str] = field(default_factory=lambda: dict(ENVIRONMENT))
    stdin: Path = Path(os.devnull)
    stop_signal: Signals = SIGTERM
    start_timeout: float = 60.0
    stop_timeout: float = 20.0


@dataclass(frozen=True, kw_only=True)
class _Status:
    pid: int | None
    running: bool
    exit: int | None


class ManagedProcess:
    """A program that runs under the guardian, on the same ports from one start to the next."""

    def __init__(self, guard: Guard, program: Program) -> None:
        self.program = program
        self._guard = guard

    @property
    def name(self) -> str:
        return self.program.name

    @property
    def pid(self) -> int | None:
        """The main process's id, None while none runs."""
        status = self._status()
        return status.pid if status.running else None

    def is_running(self) -> bool:
        """Whether any process of the program is left, paused or not."""
        return self._status().running

    def start(self) -> None:
        """Start the program and wait until it is ready. Raises ServiceStartFailed."""
        if self.is_running():
            raise ServiceStartFailed(self.name, "it runs already")
        launch = self._launch()
        deadline = time.monotonic() + self.program.start_timeout
        while not self.program.ready(launch):
            status = self._status()
            if not status.running:
                raise self._failure(f"it ended with exit code {status.exit}", launch)
            if time.monotonic() > deadline:
                self.kill()
                raise self._failure(f"it was not ready within {self.program.start_timeout:g} s", launch)
            time.sleep(POLL_SECONDS)

    def wait(self, seconds: float) -> int | None:
        """Wait until the program is gone; its exit code, or None if the time is up first or it never ran."""
        deadline = time.monotonic() + seconds
        while (status := self._status()).running and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
        return None if status.running else status.exit

    def stop(self, patience: float | None = None) -> None:
        """End the program in its orderly way; kill it if that takes longer than `patience` seconds."""
        if not self.is_running():
            return
        self.resume()
        self._guard.request("signal", name=self.name, signal=int(self.program.stop_signal))
        if self.wait(self.program.stop_timeout if patience is None else patience) is None:
            self.kill()

    def kill(self) -> None:
        """SIGKILL to the program and all its processes, as when the machine loses power."""
        self._demand("kill")

    def pause(self) -> None:
        """SIGSTOP to the program and all its processes; they stand still when this returns."""
        self._demand("pause")

    def resume(self) -> None:
        """SIGCONT after a pause."""
        self._demand("resume")

    def restart(self) -> None:
        """Stop the program if it runs, and start it on the same ports and data."""
        self.stop()
        self.start()

    def log_tail(self, lines: int = TAIL_LINES) -> str:
        """The last lines of the program's log."""
        log = self.program.log
        return _tail(log.read_text(errors="replace"), lines) if log.exists() else ""

    def _launch(self) -> Launch:
        program = self.program
        log_start = program.log.stat().st_size if program.log.exists() else 0
        try:
            answer = self._guard.request(
                "start", name=program.name, argv=list(program.argv), cwd=str(program.cwd),
                env=dict(program.env), stdin=str(program.stdin), log=str(program.log),
            )  # fmt: skip
        except OSError as error:
            raise ServiceStartFailed(self.name, str(error)) from error
        return Launch(pid=answer["pid"], log=program.log, log_start=log_start)

    def _status(self) -> _Status:
        answer = self._guard.request("status", name=self.name)
        return _Status(pid=answer["pid"], running=answer["running"], exit=answer["exit"])

    def _demand(self, op: str) -> None:
        try:
            self._guard.request(op, name=self.name)
        except OSError as error:
            raise ServiceError(self.name, f"{op} failed: {error}") from error

    def _failure(self, reason: str, launch: Launch) -> ServiceStartFailed:
        text = launch.log_text()
        kind = PortTaken if any(sign in text for sign in PORT_TAKEN) else ServiceStartFailed
        return kind(self.name, reason, _tail(text, TAIL_LINES))


def retry_on_taken_port(start: Callable[[], None]) -> None:
    """Start something that chooses its ports anew each time, until no one else has them. Raises PortTaken."""
    for _ in range(PORT_ATTEMPTS - 1):
        try:
            return start()
        except PortTaken:
            continue
    return start()


def run_to_end(guard: Guard, program: Program) -> None:
    """Run a program that ends by itself. Raises ServiceStartFailed unless it ends with exit code 0."""
    process = ManagedProcess(guard, program)
    process.start()
    code = process.wait(program.start_timeout)
    if code is None:
        process.kill()
    if code != 0:
        ending = f"exit code {code}" if code is not None else f"no end within {program.start_timeout:g} s"
        raise ServiceStartFailed(program.name, ending, process.log_tail())


def _tail(text: str, lines: int) -> str:
    return "\n".join(text.rstrip().splitlines()[-lines:])
