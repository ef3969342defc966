"""The tables of a replica."""

import sqlite3

from sync_client.errors import ReplicaError

VERSION = 1

_COLUMNS = """(
    pattern_id TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('live', 'archived', 'deleted')),
    name TEXT,
    name_key TEXT,
    fields TEXT,
    foreign_changes TEXT NOT NULL DEFAULT '{}'
)"""

NEW_FILLING = f"CREATE TABLE filling {_COLUMNS}"
"""A confirmed state in the making; it takes the place of `patterns` when it is complete."""

NAME_INDEX = "CREATE INDEX patterns_by_name ON patterns (name_key) WHERE status = 'live'"

_SCHEMA = f"""
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);

-- What the server confirmed; tombstones have no name and no fields.
CREATE TABLE patterns {_COLUMNS};
{NAME_INDEX};

-- What the user sees of patterns with pending commands; made anew whenever either side moves.
CREATE TABLE overlay (
    pattern_id TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('live', 'archived', 'deleted')),
    name TEXT,
    name_key TEXT,
    fields TEXT
);
CREATE INDEX overlay_by_name ON overlay (name_key) WHERE status = 'live';

-- Commands, and what became of them. pattern_id is '' for the team's own.
-- command_id is made just before the first send.
CREATE TABLE outbox (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    pattern_id TEXT NOT NULL,
    after INTEGER,
    command TEXT NOT NULL,
    command_id TEXT UNIQUE,
    state TEXT NOT NULL
        CHECK (state IN ('pending', 'sent', 'accepted', 'done', 'conflict', 'refused')),
    version INTEGER,
    outcome TEXT,
    made_at TEXT NOT NULL,
    answered_at TEXT,
    CHECK (state NOT IN ('sent', 'accepted') OR command_id IS NOT NULL)
);
CREATE INDEX outbox_by_state ON outbox (state, position);
CREATE INDEX outbox_by_pattern ON outbox (pattern_id, position) WHERE state <> 'done';
CREATE INDEX outbox_by_after ON outbox (after) WHERE after IS NOT NULL;

-- Drafts, and what builds on them.
CREATE VIEW held AS WITH RECURSIVE chain (position) AS (
    SELECT position FROM outbox WHERE state IN ('conflict', 'refused')
    UNION
    SELECT outbox.position FROM outbox JOIN chain ON outbox.after = chain.position
) SELECT position FROM chain;

-- The names that a command takes or gives up.
CREATE TABLE outbox_names (
    position INTEGER NOT NULL,
    name_key TEXT NOT NULL,
    PRIMARY KEY (position, name_key)
) WITHOUT ROWID;
CREATE INDEX outbox_names_by_key ON outbox_names (name_key);
"""  # noqa: S608 - made of constants


def prepare(connection: sqlite3.Connection) -> None:
    """Make the tables of a new replica; raise `ReplicaError` for one that a newer version made."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version == 0:
        connection.executescript(f"BEGIN; {_SCHEMA} PRAGMA user_version = {VERSION}; COMMIT;")
    else:
        check_version(connection)


def check_version(connection: sqlite3.Connection) -> None:
    """Raise `ReplicaError` unless the replica is of this version."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version != VERSION:
        message = f"the replica has schema version {version}, and this patternlog knows {VERSION}: update it"
        raise ReplicaError("replica_version", message)
