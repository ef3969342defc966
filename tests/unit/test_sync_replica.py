"""The replica's file: one writer, many readers, versions, and what happens when it cannot be used."""

import os
import sqlite3
from pathlib import Path

import pytest

from events.pattern import Pattern
from sync_client.confirmed import Confirmed
from sync_client.errors import ReplicaError, ReplicaLocked, WorkspaceError
from sync_client.replica import Replica, readable_replica, writable_replica
from sync_client.workspace import Home, Workspace, find_workspace, home_of, new_workspace
from tests.sync_fakes.clients import Client, client_of
from tests.sync_fakes.server import FakeServer

HOME = Home(server="http://127.0.0.1:1", team_id="6f1c2a8e-0000-4000-8000-000000000000")


def test_a_second_writer_is_told_who_is_first_and_gets_its_turn_afterwards(tmp_path: Path) -> None:
    with writable_replica(tmp_path):
        with pytest.raises(ReplicaLocked) as locked, writable_replica(tmp_path):
            pytest.fail("two writers")
        assert locked.value.pid == str(os.getpid())
        assert str(os.getpid()) in locked.value.message
    with writable_replica(tmp_path) as replica:
        replica.put("key", "value")


def test_readers_see_one_state_while_somebody_writes(tmp_path: Path) -> None:
    with writable_replica(tmp_path) as writer:
        writer.put("key", "old")
        with readable_replica(tmp_path) as reader, reader.snapshot():
            assert reader.get("key") == "old"
            writer.put("key", "new")
            assert reader.get("key") == "old"
        with readable_replica(tmp_path) as reader:
            assert reader.get("key") == "new"


def test_a_reader_cannot_write(tmp_path: Path) -> None:
    with writable_replica(tmp_path):
        pass
    with pytest.raises(ReplicaError, match="readonly"), readable_replica(tmp_path) as replica:
        replica.put("key", "value")


def forget_and_fail(replica: Replica) -> None:
    with replica.transaction():
        replica.put("key", None)
        raise ZeroDivisionError


def test_a_transaction_that_fails_leaves_nothing(tmp_path: Path) -> None:
    with writable_replica(tmp_path) as replica:
        replica.put("key", "value")
        with pytest.raises(ZeroDivisionError):
            forget_and_fail(replica)
        assert replica.get("key") == "value"


def test_what_is_committed_is_synced_to_the_disk(tmp_path: Path) -> None:
    with writable_replica(tmp_path) as replica:
        assert replica.connection.execute("PRAGMA synchronous").fetchone() == (2,)
        assert replica.connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_replica_of_a_newer_version_is_not_touched(tmp_path: Path) -> None:
    with writable_replica(tmp_path) as replica:
        replica.connection.execute("PRAGMA user_version = 99")
    for way in (writable_replica, readable_replica):
        with pytest.raises(ReplicaError) as error, way(tmp_path):
            pytest.fail("opened")
        assert error.value.code == "replica_version"


def test_a_damaged_replica_is_an_error_of_ours(tmp_path: Path) -> None:
    (tmp_path / "replica.sqlite").write_bytes(b"no database" * 1000)
    with pytest.raises(ReplicaError, match="not a database"), writable_replica(tmp_path):
        pytest.fail("opened")


def fill_up(client: Client) -> None:
    (pages,) = client.replica.connection.execute("PRAGMA page_count").fetchone()
    client.replica.connection.execute(f"PRAGMA max_page_count = {pages}")
    client.record(name="too much", description="x" * 100_000)


async def test_a_full_disk_loses_nothing_that_was_kept(tmp_path: Path) -> None:
    server = FakeServer()
    with client_of(server, tmp_path / "one") as client:
        client.record(name="kept")
    with pytest.raises(ReplicaError, match="full"), client_of(server, tmp_path / "one") as client:
        fill_up(client)
    with client_of(server, tmp_path / "one") as client:
        assert set(client.live()) == {"kept"}
        assert (await client.sync_client.push()).accepted == 1


def test_a_confirmed_state_is_read_as_it_was_written(tmp_path: Path) -> None:
    state = Pattern(
        version=3, status="archived", fields={"name": "é", "x": [1.0, None]}, field_versions={"x": 2}
    )
    with writable_replica(tmp_path) as replica:
        confirmed = Confirmed(replica.connection)
        confirmed.store("id", state, 7)
        assert confirmed.load("id") == state
        assert confirmed.sequence_of("id") == 7


# ---------------------------------------------------------------- workspaces


def test_a_workspace_is_found_from_below_and_made_once(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    with pytest.raises(WorkspaceError):
        find_workspace(tmp_path / "a")
    with new_workspace(tmp_path, HOME):
        pass
    with find_workspace(tmp_path / "a" / "b").reading() as replica:
        assert home_of(replica) == HOME
    with pytest.raises(WorkspaceError, match="already"), new_workspace(tmp_path, HOME):
        pytest.fail("made twice")


def test_a_workspace_whose_making_was_cut_off_is_made_again(tmp_path: Path) -> None:
    (tmp_path / ".patternlog").mkdir()
    with writable_replica(tmp_path / ".patternlog") as replica, pytest.raises(WorkspaceError):
        home_of(replica)
    with new_workspace(tmp_path, HOME) as (_, replica):
        assert home_of(replica) == HOME


def test_a_workspace_is_its_users_alone_and_kept_out_of_version_control(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with new_workspace(tmp_path, HOME):
            pass
    finally:
        os.umask(before)
    folder = tmp_path / ".patternlog"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / ".gitignore").read_text() == "*\n"


def test_sqlite_is_new_enough_for_what_the_replica_uses() -> None:
    assert sqlite3.sqlite_version_info >= (3, 25)
    assert isinstance(Workspace(Path()), Workspace)
