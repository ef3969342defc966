"""Processes that die while they sign in, and processes that renew one session at once."""

import contextlib
import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from sync_client.credentials import Account, Credentials
from tests.sync_fakes.http_server import ServedFake, served
from tests.sync_fakes.server import FakeServer

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["pytest", "tests.sync_fakes.killed"])
PASSWORD = "an unlikely sentence"
TOGETHER = 6
ADA = Account(
    server="http://one.example",
    username="ada",
    user_id="u",
    access_token="access-1",
    refresh_token="refresh-1",
    obtained_at=1.0,
    expires_in=900.0,
)
BEN = replace(ADA, username="ben", refresh_token="refresh-2")

pytestmark = [pytest.mark.faults]


def sign_in_and_die(path: str, fatal: int) -> None:
    """Keep an account, and be killed before the nth call that touches the disk."""
    count = 0

    def stepping(call: Callable[..., object]) -> Callable[..., object]:
        def stepped(*given: object, **named: object) -> object:
            nonlocal count
            count += 1
            if count == fatal:
                os.kill(os.getpid(), signal.SIGKILL)
            return call(*given, **named)

        return stepped

    for name in ("open", "fdopen", "fsync", "close", "replace"):
        setattr(os, name, stepping(getattr(os, name)))
    Credentials(Path(path)).sign_in(BEN)
    os._exit(0)


def test_a_process_that_dies_anywhere_leaves_the_old_file_or_the_new_one(tmp_path: Path) -> None:
    file = Credentials(tmp_path / "credentials.json")
    outcomes, exits = set[int](), [-signal.SIGKILL.value]
    while exits[-1] == -signal.SIGKILL:
        file.path.unlink(missing_ok=True)
        file.sign_in(ADA)
        process = FORKS.Process(target=sign_in_and_die, args=(str(file.path), len(exits)))
        process.start()
        process.join()
        exits.append(process.exitcode or 0)
        found = list(file.accounts())
        assert found in ([ADA], [ADA, BEN])
        outcomes.add(len(found))
        file.sign_in(replace(ADA, username="cy", refresh_token="refresh-3"))
        assert file.path.stat().st_mode & 0o777 == 0o600
    assert (exits[-1], len(exits) > 5, outcomes) == (0, True, {1, 2})


@pytest.fixture
def fake() -> Iterator[ServedFake]:
    with served(FakeServer.without_team()) as fake:
        yield fake


def command(tmp_path: Path, *arguments: str) -> "subprocess.Popen[str]":
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PATTERNLOG_")}
    return subprocess.Popen(
        [sys.executable, "-m", "sync_client.command_line", *arguments],
        cwd=tmp_path,
        env=kept | {"PATTERNLOG_CREDENTIALS": str(tmp_path / "home" / "credentials.json")},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def register(tmp_path: Path, fake: ServedFake) -> None:
    account = ("--username", "ada", "--email", "ada@example.com", "--password-stdin")
    done = command(tmp_path, "register", "--server", fake.url, *account)
    said, _ = done.communicate(PASSWORD + "\n")
    assert done.returncode == 0, said


def test_processes_that_renew_at_once_use_the_refresh_token_once(fake: ServedFake, tmp_path: Path) -> None:
    register(tmp_path, fake)
    fake.accounts.expire()
    running = [command(tmp_path, "whoami") for _ in range(TOGETHER)]
    for process in running:
        said, _ = process.communicate()
        assert (process.returncode, said.split()[0]) == (0, "ada"), said
    assert fake.accounts.refreshes == 1
    assert not any(session.ended for session in fake.accounts.sessions)


def test_a_process_that_dies_while_it_renews_holds_nobody_up(fake: ServedFake, tmp_path: Path) -> None:
    register(tmp_path, fake)
    fake.accounts.expire()
    fake.accounts.grace = True
    victim = command(tmp_path, "whoami")

    def kill(_method: str) -> None:
        if fake.accounts.refreshes == 1:
            with contextlib.suppress(ProcessLookupError):
                victim.kill()
                victim.wait()

    fake.after = kill
    victim.communicate()
    assert victim.returncode == -signal.SIGKILL
    fake.after = lambda _method: None
    process = command(tmp_path, "whoami")
    said, _ = process.communicate()
    assert (process.returncode, said.split()[0], fake.accounts.refreshes) == (0, "ada", 2), said
