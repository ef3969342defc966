"""The process is killed at one step after another; run again, it ends as if nothing had happened."""

import asyncio
import json
import multiprocessing
import os
import shutil
import signal
from collections.abc import Iterator
from multiprocessing.context import ForkServerProcess
from multiprocessing.synchronize import Event
from pathlib import Path

import psutil
import pytest

from events.json_text import Json
from sync_client.errors import CONFLICTS, EVIDENCE, ReplicaLocked
from sync_client.head_store import HeadStore
from sync_client.library import Library
from sync_client.replica import writable_replica
from sync_client.workspace import Home, Workspace, new_workspace
from tests.sync_fakes import killed
from tests.sync_fakes.audited import SIGNER
from tests.sync_fakes.clients import PATIENT, Client, client_of
from tests.sync_fakes.http_server import TOKEN, ServedFake, served
from tests.sync_fakes.server import FakeServer
from tests.sync_fakes.transport import FakeTransport

POINTS = int(os.environ.get("PATTERNLOG_TEST_EXAMPLES", "12"))
"""At how many of its steps each command is killed; the first, the last, and evenly between."""

# Children of a process that has imported everything and has no threads start fast and clean.
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["pytest", "tests.sync_fakes.killed"])


@pytest.fixture
def fake() -> Iterator[ServedFake]:
    with served(FakeServer()) as fake:
        yield fake


@pytest.fixture
def workspace(fake: ServedFake, tmp_path: Path) -> Path:
    folder = tmp_path / "prepared"
    home = Home(server=fake.url, team_id=fake.server.team_id)
    with new_workspace(folder, home):
        return folder


def start(folder: Path, *arguments: str, killed_at: int = 0) -> ForkServerProcess:
    output = folder.with_suffix(".out")
    process = FORKS.Process(
        target=killed.main, args=(killed_at, [*arguments, "--dir", str(folder)], output, TOKEN)
    )
    process.start()
    return process


def run(folder: Path, *arguments: str, killed_at: int = 0) -> int | None:
    """The exit code; minus the signal's number if a signal ended it."""
    process = start(folder, *arguments, killed_at=killed_at)
    process.join(60)
    return process.exitcode


def steps_of(folder: Path, *arguments: str, code: int = 0) -> int:
    """How many steps a command takes that nothing disturbs."""
    assert run(folder, *arguments) == code
    return int(folder.with_suffix(".out").read_text().rsplit("steps ", 1)[1])


def deaths(steps: int) -> list[int]:
    """The steps at which to die."""
    return sorted({round(1 + (steps - 1) * point / (POINTS - 1)) for point in range(POINTS)})


def copy_of(folder: Path, name: str) -> Path:
    return shutil.copytree(folder, folder.parent / name)


def look(folder: Path) -> tuple[dict[str, dict[str, Json]], list[str]]:
    """The library as its user sees it, and the states of all commands."""
    with Workspace(folder / ".patternlog").reading() as replica:
        patterns = {pattern.name: pattern.fields for pattern in Library(replica.connection).patterns()}
        rows = replica.connection.execute("SELECT state FROM outbox ORDER BY position").fetchall()
    return patterns, [row[0] for row in rows]


def test_a_push_killed_anywhere_sends_everything_once(fake: ServedFake, workspace: Path) -> None:
    prepared = workspace
    with Workspace(prepared / ".patternlog").writing() as replica:
        client = Client(replica, FakeTransport(fake.server), "author", PATIENT)
        for index in range(3):
            pattern_id = client.record(name=f"pattern {index}", description="first")
            client.edit(pattern_id, description="second")
    empty = fake.server.backup()
    log_id = fake.server.log_id
    steps = steps_of(copy_of(prepared, "whole"), "push")
    expected = fake.server.live()
    assert len(expected) == 3
    for death in deaths(steps):
        fake.server.restore(empty)
        fake.server.log_id = log_id
        folder = copy_of(prepared, f"killed at {death}")
        assert run(folder, "push", killed_at=death) == -signal.SIGKILL
        assert run(folder, "push") == 0
        assert look(folder) == (expected, ["done"] * 6)
        assert fake.server.live() == expected
        assert len(fake.server.applied) == len(set(fake.server.applied)) == 6
        assert fake.server.reused == []


def test_a_pull_killed_anywhere_goes_on_to_the_whole_library(fake: ServedFake, workspace: Path) -> None:
    fill(fake.server, workspace.parent / "author", 25)
    steps = steps_of(copy_of(workspace, "whole"), "pull")
    for death in deaths(steps):
        folder = copy_of(workspace, f"killed at {death}")
        assert run(folder, "pull", killed_at=death) == -signal.SIGKILL
        seen, _ = look(folder)
        assert seen in ({}, fake.server.live())
        assert run(folder, "pull") == 0
        assert look(folder)[0] == fake.server.live()


def signed(fake: ServedFake, workspace: Path) -> FakeServer:
    """A server with a key, whose first head the workspace has seen, and whose log has grown since."""
    fake.server.log.signers = [SIGNER]
    fill(fake.server, workspace.parent / "author", 3)
    assert run(workspace, "pull") == 0
    fill(fake.server, workspace.parent / "another", 12)
    return fake.server


def kept(folder: Path) -> tuple[list[str], list[str]]:
    """The heads that a workspace holds, and the reasons of what did not fit."""
    with Workspace(folder / ".patternlog").reading() as replica:
        store = HeadStore(replica)
        return store.heads(), [one.reason for one in store.evidence()]


def test_a_pull_that_proves_a_head_killed_anywhere_ends_with_the_newest_one(
    fake: ServedFake, workspace: Path
) -> None:
    newest = [signed(fake, workspace).tree_head()["note"]]
    steps = steps_of(copy_of(workspace, "whole"), "pull")
    for death in deaths(steps):
        folder = copy_of(workspace, f"killed at {death}")
        assert run(folder, "pull", killed_at=death) == -signal.SIGKILL
        assert run(folder, "pull") == 0
        assert (kept(folder), look(folder)[0]) == ((newest, []), fake.server.live())


def test_a_pull_whose_proof_fails_killed_anywhere_keeps_it_once_and_applies_nothing(
    fake: ServedFake, workspace: Path
) -> None:
    server, before, (held, _) = signed(fake, workspace), look(workspace), kept(workspace)
    server.log.records[0] = server.log.records[0].with_headers({"ce_actor": b"somebody else"})
    steps = steps_of(copy_of(workspace, "whole"), "pull", code=EVIDENCE)
    for death in deaths(steps):
        folder = copy_of(workspace, f"killed at {death}")
        assert run(folder, "pull", killed_at=death) == -signal.SIGKILL
        assert run(folder, "pull") == EVIDENCE
        assert (kept(folder), look(folder)) == ((held, ["inconsistent"]), before)


def test_a_sync_after_a_restore_killed_anywhere_keeps_the_outbox(fake: ServedFake, workspace: Path) -> None:
    fill(fake.server, workspace.parent / "author", 12)
    assert run(workspace, "pull") == 0
    before = fake.server.live()
    with Workspace(workspace / ".patternlog").writing() as replica:
        client = Client(replica, FakeTransport(fake.server), "author", PATIENT)
        client.record(name="new")
        client.edit(client.visible()[1].pattern_id, description="mine")
    backup = fake.server.backup()
    fake.server.restore(backup)
    log_id = fake.server.log_id
    steps = steps_of(copy_of(workspace, "whole"), "sync")
    expected = fake.server.live()
    assert len(expected) == 13
    for death in deaths(steps):
        fake.server.restore(backup)
        fake.server.log_id = log_id
        folder = copy_of(workspace, f"killed at {death}")
        assert run(folder, "sync", killed_at=death) == -signal.SIGKILL
        assert look(folder)[0].keys() == before.keys() | {"new"}
        assert run(folder, "sync") == 0
        assert look(folder) == (expected, ["done"] * 2)
        assert fake.server.live() == expected


def test_a_conflict_that_is_met_and_resolved_killed_anywhere_ends_once(
    fake: ServedFake, workspace: Path
) -> None:
    with client_of(fake.server, workspace.parent / "author") as author:
        pattern_id = author.record(name="n", severity="low")
        asyncio.run(author.sync())
        assert run(workspace, "pull") == 0
        author.edit(pattern_id, severity="high")
        asyncio.run(author.sync())
    for severity in ("medium", "critical"):
        assert run(workspace, "edit", "n", "--set", f"severity={severity}") == 0
    met = killed_anywhere(fake, workspace, "push", code=CONFLICTS)
    assert look(met)[1] == ["conflict", "pending"]
    assert run(met, "pull") == CONFLICTS
    assert run(met, "resolve", "1", "--mine") == 0
    over = killed_anywhere(fake, met, "sync")
    assert look(over) == ({"n": {"name": "n", "severity": "critical"}}, ["done"] * 3)


def killed_anywhere(fake: ServedFake, prepared: Path, command: str, *, code: int = 0) -> Path:
    """A folder in which a command has ended; killed anywhere and run again, it ended in the same way."""
    before, log_id = fake.server.backup(), fake.server.log_id
    folder = copy_of(prepared, f"{prepared.name} {command}")
    steps = steps_of(folder, command, code=code)
    expected = look(folder)
    for death in deaths(steps):
        fake.server.restore(before)
        fake.server.log_id = log_id
        folder = copy_of(prepared, f"{prepared.name} {command} killed at {death}")
        assert run(folder, command, killed_at=death) == -signal.SIGKILL
        assert run(folder, command) == code
        assert look(folder) == expected
        assert fake.server.reused == []
    return folder


def test_an_import_killed_anywhere_left_nothing_or_everything(workspace: Path) -> None:
    file = workspace.parent / "patterns.json"
    file.write_text(json.dumps([{"name": f"pattern {index}", "x": index} for index in range(20)]))
    whole = copy_of(workspace, "whole")
    steps = steps_of(whole, "import", str(file))
    expected = look(whole)
    for death in deaths(steps):
        folder = copy_of(workspace, f"killed at {death}")
        assert run(folder, "import", str(file), killed_at=death) == -signal.SIGKILL
        assert look(folder) in (({}, []), expected)
        assert run(folder, "import", str(file)) == 0
        assert look(folder) == expected


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_push_killed_while_the_server_works_on_it_is_applied_once(
    fake: ServedFake, workspace: Path, moment: str
) -> None:
    with Workspace(workspace / ".patternlog").writing() as replica:
        Client(replica, FakeTransport(fake.server), "author", PATIENT).record(name="n")
    processes: list[ForkServerProcess] = []

    def kill(method: str) -> None:
        if method == "POST" and processes:
            # Not through multiprocessing: the test waits for the exit code, and only one can read it.
            victim = psutil.Process(processes.pop().pid)
            victim.kill()
            victim.wait(60)

    setattr(fake, moment, kill)
    victim = start(workspace, "push")
    processes.append(victim)
    victim.join(60)
    assert victim.exitcode == -signal.SIGKILL
    assert look(workspace)[1] == ["sent"]
    assert run(workspace, "push") == 0
    assert look(workspace)[1] == ["done"]
    assert len(fake.server.applied) == 1
    assert fake.server.received[0] == fake.server.received[-1]


def fill(server: FakeServer, folder: Path, count: int) -> None:
    with client_of(server, folder) as author:
        for index in range(count):
            author.record(name=f"pattern {index:03}")
        asyncio.run(author.sync_client.push())


def hold(folder: Path, held: Event, enough: Event) -> None:
    with writable_replica(folder):
        held.set()
        enough.wait(60)


def test_the_lock_of_a_process_that_is_killed_is_free(tmp_path: Path) -> None:
    held, enough = FORKS.Event(), FORKS.Event()
    process = FORKS.Process(target=hold, args=(tmp_path, held, enough))
    process.start()
    assert held.wait(60)
    with pytest.raises(ReplicaLocked) as locked, writable_replica(tmp_path):
        pytest.fail("two writers")
    assert locked.value.pid == str(process.pid)
    process.kill()
    process.join()
    with writable_replica(tmp_path) as replica:
        replica.put("key", "value")
