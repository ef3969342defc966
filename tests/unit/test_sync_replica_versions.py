"""Replicas that earlier versions made."""

import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from events.json_text import Json
from sync_client.errors import LocalRefusal
from sync_client.head_store import HeadStore
from sync_client.replica import readable_replica
from sync_client.replica_schema import _FROM_VERSION_1, VERSION
from sync_client.status import status_of
from tests.sync_fakes.audited import SIGNER
from tests.sync_fakes.clients import client_of
from tests.sync_fakes.server import FakeServer

VERSION_1 = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE patterns (
    pattern_id TEXT PRIMARY KEY, version INTEGER NOT NULL, sequence INTEGER NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('live', 'archived', 'deleted')),
    name TEXT, name_key TEXT, fields TEXT, foreign_changes TEXT NOT NULL DEFAULT '{}'
);
CREATE INDEX patterns_by_name ON patterns (name_key) WHERE status = 'live';
CREATE TABLE overlay (
    pattern_id TEXT PRIMARY KEY, version INTEGER NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('live', 'archived', 'deleted')),
    name TEXT, name_key TEXT, fields TEXT
);
CREATE INDEX overlay_by_name ON overlay (name_key) WHERE status = 'live';
CREATE TABLE outbox (
    position INTEGER PRIMARY KEY AUTOINCREMENT, pattern_id TEXT NOT NULL, after INTEGER,
    command TEXT NOT NULL, command_id TEXT UNIQUE,
    state TEXT NOT NULL CHECK (state IN ('pending', 'sent', 'accepted', 'done', 'conflict', 'refused')),
    version INTEGER, outcome TEXT, made_at TEXT NOT NULL, answered_at TEXT,
    CHECK (state NOT IN ('sent', 'accepted') OR command_id IS NOT NULL)
);
CREATE INDEX outbox_by_state ON outbox (state, position);
CREATE INDEX outbox_by_pattern ON outbox (pattern_id, position) WHERE state <> 'done';
CREATE INDEX outbox_by_after ON outbox (after) WHERE after IS NOT NULL;
CREATE VIEW held AS WITH RECURSIVE chain (position) AS (
    SELECT position FROM outbox WHERE state IN ('conflict', 'refused')
    UNION
    SELECT outbox.position FROM outbox JOIN chain ON outbox.after = chain.position
) SELECT position FROM chain;
CREATE TABLE outbox_names (
    position INTEGER NOT NULL, name_key TEXT NOT NULL, PRIMARY KEY (position, name_key)
) WITHOUT ROWID;
CREATE INDEX outbox_names_by_key ON outbox_names (name_key);
PRAGMA user_version = 1;
"""
PATTERN = "6f1c2a8e-0000-4000-8000-000000000001"
RENAMING: dict[str, Json] = {
    "type": "edit_pattern",
    "pattern_id": PATTERN,
    "base_version": 2,
    "set": {"name": "m"},
}
MADE = "2026-01-01T00:00:00.000Z"


def edit(**given: Json) -> str:
    body = {"type": "edit_pattern", "pattern_id": PATTERN, "base_version": 1, "set": given, "remove": []}
    return json.dumps({"occurred_at": MADE, **body})


def made_by_version_1(
    server: FakeServer, folder: Path, foreign: dict[str, int], rows: Sequence[tuple[object, ...]]
) -> None:
    """A replica at the pattern's second version, and its outbox: after, command, state, outcome."""
    folder.mkdir()
    with closing(sqlite3.connect(folder / "replica.sqlite")) as connection:
        connection.executescript(VERSION_1)
        connection.execute(
            "INSERT INTO patterns VALUES (?, 2, 3, 'live', 'n', 'n', ?, ?)",
            (PATTERN, json.dumps({"name": "n", "a": 1, "b": 2}), json.dumps(foreign)),
        )
        connection.executemany(
            "INSERT INTO outbox (pattern_id, after, command, state, outcome, made_at)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            [(PATTERN, *row, MADE) for row in rows],
        )
        notes = {"team_id": server.team_id, "log_id": server.log_id, "cursor": server.cursor(3)}
        notes |= {"server": "http://127.0.0.1:1", "filling": ""}
        connection.executemany("INSERT INTO meta VALUES (?, ?)", notes.items())
        connection.commit()


@pytest.fixture
def server() -> FakeServer:
    """A server whose pattern was recorded with a and b, and whose b somebody has edited since."""
    server = FakeServer()
    record: dict[str, Json] = {"type": "record_pattern", "fields": {"name": "n", "a": 1, "b": 1}}
    change: dict[str, Json] = {"type": "edit_pattern", "base_version": 1, "set": {"b": 2}}
    for number, body in enumerate((record, change), 1):
        command_id = f"00000000-0000-7000-8000-{number:012}"
        server.submit([{"command_id": command_id, "pattern_id": PATTERN, **body}])
    return server


async def test_a_replica_of_version_1_goes_on_with_what_waits_in_it(
    server: FakeServer, tmp_path: Path
) -> None:
    rows = [(None, edit(a=2), "pending", None), (1, edit(a=3), "pending", None)]
    made_by_version_1(server, tmp_path / "one", {"b": 2}, rows)
    with client_of(server, tmp_path / "one") as client:
        assert client.replica.connection.execute("PRAGMA user_version").fetchone() == (VERSION,)
        await client.sync()
        assert client.states() == ["done", "done"]
        assert client.live() == server.live() == {"n": {"name": "n", "a": 3, "b": 2}}


async def test_a_conflict_that_version_1_foretold_is_none_of_the_library_and_holds_up_what_it_did(
    server: FakeServer, tmp_path: Path
) -> None:
    foretold = json.dumps({"code": "edit_conflict", "detail": "changed by somebody else: b"})
    rows = [(None, edit(b=3), "conflict", foretold), (1, edit(a=3), "pending", None)]
    made_by_version_1(server, tmp_path / "one", {"b": 2}, rows)
    with client_of(server, tmp_path / "one") as client:
        await client.sync()
        (draft,) = client.drafts()
        assert (draft.kind, draft.conflict_id, draft.holds_up) == ("conflict", None, 1)
        with pytest.raises(LocalRefusal) as refused:
            client.resolve(draft.number, "mine")
        assert refused.value.code == "no_conflict"
        client.drop(draft.number)
        await client.sync()
        assert server.live() == {"n": {"name": "n", "a": 3, "b": 2}}


def test_a_replica_of_version_1_can_be_looked_at_at_once(server: FakeServer, tmp_path: Path) -> None:
    made_by_version_1(server, tmp_path / "one", {}, [(None, edit(a=2), "pending", None)])
    with readable_replica(tmp_path / "one") as replica:
        found = status_of(replica)
    assert (found.patterns, found.waiting, found.held) == (1, 1, 0)


@pytest.mark.parametrize("version", [1, 2])
async def test_an_older_replica_begins_to_keep_tree_heads(
    server: FakeServer, tmp_path: Path, version: int
) -> None:
    made_by_version_1(server, tmp_path / "one", {}, [])
    if version == 2:
        with closing(sqlite3.connect(tmp_path / "one" / "replica.sqlite")) as connection:
            connection.executescript(f"BEGIN; {_FROM_VERSION_1} PRAGMA user_version = 2; COMMIT;")
    server.log.signers = [SIGNER]
    with client_of(server, tmp_path / "one") as client:
        server.submit([{**RENAMING, "command_id": "00000000-0000-7000-8000-000000000009"}])
        await client.sync()
        held = HeadStore(client.replica).held(server.log_id)
        assert held is not None
        assert held.head.size == len(server.log.records)
