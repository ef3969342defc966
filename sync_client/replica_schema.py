"""The tables of a replica."""

import sqlite3

from sync_client.errors import ReplicaError

VERSION = 3

_COLUMNS = """(
    pattern_id TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('live', 'archived', 'deleted')),
    name TEXT,
    name_key TEXT,
    fields TEXT,
    field_versions TEXT NOT NULL DEFAULT '{}'
)"""

NEW_FILLING = f"CREATE TABLE filling {_COLUMNS}"
"""A confirmed state in the making; it takes the place of `patterns` when it is complete."""

NAME_INDEX = "CREATE INDEX patterns_by_name ON patterns (name_key) WHERE status = 'live'"

_RESOLVES_INDEX = "CREATE INDEX outbox_by_resolves ON outbox (resolves) WHERE resolves IS NOT NULL"

_TREE_HEADS = """
-- The keys whose tree heads are believed, and why.
CREATE TABLE audit_keys (
    vkey TEXT PRIMARY KEY,
    because TEXT NOT NULL CHECK (because IN ('given', 'first_use', 'rotation')),
    trusted_at TEXT NOT NULL
);

-- The last head that was seen of each log that this library had.
CREATE TABLE tree_heads (
    log_id TEXT PRIMARY KEY,
    note TEXT NOT NULL,
    seen_at TEXT NOT NULL
);

-- Proofs that failed: kept for ever, told until somebody has acknowledged them.
CREATE TABLE failed_proofs (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    found_at TEXT NOT NULL,
    server TEXT NOT NULL,
    log_id TEXT NOT NULL,
    reason TEXT NOT NULL,
    held TEXT,
    shown TEXT NOT NULL,
    path TEXT NOT NULL,
    acknowledged_at TEXT
);
"""

_SCHEMA = f"""
{_TREE_HEADS}
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
-- command_id is made just before the first send; base_command, if any, takes the base version's place in it.
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
    base_command TEXT,
    resolves INTEGER,
    hidden INTEGER NOT NULL DEFAULT 0,
    CHECK (state NOT IN ('sent', 'accepted') OR command_id IS NOT NULL)
);
CREATE INDEX outbox_by_state ON outbox (state, position);
CREATE INDEX outbox_by_pattern ON outbox (pattern_id, position) WHERE state <> 'done';
CREATE INDEX outbox_by_after ON outbox (after) WHERE after IS NOT NULL;
{_RESOLVES_INDEX};

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


_FROM_VERSION_1 = f"""
ALTER TABLE patterns RENAME COLUMN foreign_changes TO field_versions;
DROP TABLE IF EXISTS filling;
DELETE FROM meta WHERE key = 'filling';
ALTER TABLE outbox ADD COLUMN base_command TEXT;
ALTER TABLE outbox ADD COLUMN resolves INTEGER;
ALTER TABLE outbox ADD COLUMN hidden INTEGER NOT NULL DEFAULT 0;
{_RESOLVES_INDEX};

-- What was made on a state that has changed since, or on a draft, is not shown as if it fitted.
UPDATE outbox SET hidden = 1
WHERE state IN ('pending', 'sent', 'accepted') AND (
    position IN held OR pattern_id IN (SELECT pattern_id FROM patterns WHERE field_versions <> '{{}}')
);
"""  # noqa: S608 - made of constants


def prepare(connection: sqlite3.Connection) -> None:
    """Make the tables of a new replica, or bring those of an older one up to date; raise `ReplicaError`."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    script = {0: _SCHEMA, 1: _FROM_VERSION_1 + _TREE_HEADS, 2: _TREE_HEADS}.get(version)
    if script is not None:
        connection.executescript(f"BEGIN; {script} PRAGMA user_version = {VERSION}; COMMIT;")
    check_version(connection)


def is_older(connection: sqlite3.Connection) -> bool:
    """Whether the replica was made by an earlier version, and has to be brought up to date first."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return 0 < int(version) < VERSION


def check_version(connection: sqlite3.Connection) -> None:
    """Raise `ReplicaError` unless the replica is of this version."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version != VERSION:
        message = f"the replica has schema version {version}, and this patternlog knows {VERSION}: update it"
        raise ReplicaError("replica_version", message)
