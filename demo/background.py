"""`make up` and `make down`: the services in the background, with data that is kept."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from demo.deployment import MAILS, kept_deployment
from devstack.errors import DevStackError
from devstack.progress import Reporter

FOLDER = Path("build/up")
DATA = FOLDER / "data"
LOG = FOLDER / "log"
PID = FOLDER / "pid"
READY = FOLDER / "ready"
PORT = "8080"
ENDING = {signal.SIGTERM, signal.SIGINT}
POLL_SECONDS = 0.1
START_SECONDS = 300.0
STOP_SECONDS = 60.0


def up(reporter: Reporter) -> None:
    """Start the services in the background and return when they are ready. Raises DevStackError."""
    running = _running()
    if running is not None:
        reporter.say(f"It runs already (process {running.pid}).")
        _wait_until_ready(running.is_running)
        reporter.say(READY.read_text().rstrip())
        return
    FOLDER.mkdir(parents=True, exist_ok=True)
    READY.unlink(missing_ok=True)
    reporter.say(f"Starting in the background; its log is {LOG} …")
    with LOG.open("wb") as log:
        child = subprocess.Popen(
            [sys.executable, "-m", "demo", "stay"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        _wait_until_ready(lambda: child.poll() is None)
    except BaseException:  # Ctrl-C as well: what is not ready is not left behind
        child.terminate()
        child.wait()
        raise
    reporter.say(READY.read_text().rstrip())


def down(reporter: Reporter) -> None:
    """Stop what `up` started; the data stays. Raises DevStackError when it does not stop."""
    process = _running()
    if process is None:
        reporter.say("Nothing runs.")
        return
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_SECONDS)
    except psutil.TimeoutExpired:
        raise DevStackError(
            f"Process {process.pid} did not stop within {STOP_SECONDS:g} s; see {LOG}"
        ) from None
    reporter.say(f"Stopped. The data is kept in {DATA}.")


def stay(reporter: Reporter) -> None:
    """Run the services until SIGTERM; what `up` starts."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    PID.write_text(str(os.getpid()))
    try:
        with kept_deployment(reporter, DATA, int(os.environ.get("PATTERNLOG_PORT", PORT))) as services:
            _tell_that_it_is_ready(services.url("gateway"))
            # Blocked, they wait for `sigwait`; otherwise they may come just before it and be lost.
            signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
            signal.sigwait(ENDING)
    finally:
        READY.unlink(missing_ok=True)
        PID.unlink(missing_ok=True)


def _tell_that_it_is_ready(url: str) -> None:
    written = READY.with_suffix(".part")
    written.write_text(
        f"Patternlog is ready at {url}\n"
        f"  API docs      {url}/docs\n"
        f"  an account    patternlog register --server {url}   (or login; mails go to {DATA / MAILS})\n"
        f"  first client  patternlog init --server {url} --create 'My team'\n"
        "  stop          make down\n"
    )
    written.rename(READY)  # it is there at once and whole


def _wait_until_ready(runs: Callable[[], bool]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not READY.exists():
        if not runs() or time.monotonic() > deadline:
            tail = "\n".join(LOG.read_text(errors="replace").splitlines()[-20:])
            raise DevStackError(f"The services did not start:\n{tail}")
        time.sleep(POLL_SECONDS)


def _running() -> psutil.Process | None:
    try:
        process = psutil.Process(int(PID.read_text()))
        # A number may belong to another process by now.
        return process if "demo" in process.cmdline() and process.status() != psutil.STATUS_ZOMBIE else None
    except (FileNotFoundError, ValueError, psutil.NoSuchProcess):
        return None
