"""The confirmed state: every pattern as the server last told of it, tombstones included."""

import sqlite3
from collections.abc import Iterable, Sequence

from events.errors import InvalidJson
from events.json_text import dump, parse
from events.pattern import DeletedPattern, NoPattern, Pattern, PatternState, name_key
from sync_client.errors import UnexpectedAnswer
from sync_client.replica_schema import NAME_INDEX, NEW_FILLING
from sync_client.wire import Change

Row = tuple[str, int, int, str, str | None, str | None, str | None]
"""pattern_id, version, sequence, status, name, name_key, fields."""

_ADVANCE = """
INSERT INTO patterns (pattern_id, version, sequence, status, name, name_key, fields)
VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (pattern_id) DO UPDATE SET
    version = excluded.version, sequence = excluded.sequence, status = excluded.status, name = excluded.name,
    name_key = excluded.name_key, fields = excluded.fields, field_versions = '{}'
WHERE excluded.version > patterns.version
"""

_FILL = """
REPLACE INTO filling (pattern_id, version, sequence, status, name, name_key, fields)
VALUES (?, ?, ?, ?, ?, ?, ?)
"""

_STORE = """
REPLACE INTO patterns (pattern_id, version, sequence, status, name, name_key, fields, field_versions)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
"""

_HOLDER = """
SELECT pattern_id FROM patterns
WHERE status = 'live' AND name_key = ?1 AND pattern_id <> ?2 AND NOT EXISTS (
    SELECT 1 FROM outbox JOIN outbox_names USING (position)
    WHERE outbox.pattern_id = patterns.pattern_id AND outbox_names.name_key = ?1
      AND outbox.state IN ('pending', 'sent', 'accepted')
)
"""


def row_of(change: Change) -> Row:
    """A change as a row; raise `UnexpectedAnswer` for fields that no pattern can have."""
    head = (change.pattern_id, change.version, change.sequence)
    if change.status == "deleted":
        return (*head, "deleted", None, None, None)
    name = change.fields.get("name")
    if not isinstance(name, str):
        raise UnexpectedAnswer(f"the pattern {change.pattern_id} has no name")
    try:
        text = dump(change.fields).decode()
    except InvalidJson as error:
        raise UnexpectedAnswer(f"the pattern {change.pattern_id}: {error}") from None
    return (*head, change.status, name, name_key(name), text)


def state_of(change: Change) -> PatternState:
    """A change as the pattern's state."""
    if change.status == "deleted":
        return DeletedPattern(version=change.version)
    return Pattern(version=change.version, status=change.status, fields=change.fields, field_versions={})


class Confirmed:
    """The rows of the confirmed state. Nothing here begins or commits a transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def load(self, pattern_id: str) -> PatternState:
        """A pattern's state, with what changed in it since the oldest command kept here."""
        row = self._connection.execute(
            "SELECT version, status, fields, field_versions FROM patterns WHERE pattern_id = ?",
            (pattern_id,),
        ).fetchone()
        if row is None:
            return NoPattern()
        version, status, fields, versions = row
        if status == "deleted":
            return DeletedPattern(version=version)
        return Pattern(
            version=version,
            status=status,
            fields=parse(fields.encode(), max_depth=64),
            field_versions=parse(versions.encode()),
        )

    def store(self, pattern_id: str, state: PatternState, sequence: int) -> None:
        """Write a pattern's state as it is, whatever was there."""
        if isinstance(state, NoPattern):
            self._connection.execute("DELETE FROM patterns WHERE pattern_id = ?", (pattern_id,))
            return
        text, name, versions, status = None, None, "{}", "deleted"
        if isinstance(state, Pattern):
            name, status = state.name, state.status
            text, versions = dump(state.fields).decode(), dump(state.field_versions).decode()
        key = None if name is None else name_key(name)
        self._connection.execute(
            _STORE, (pattern_id, state.version, sequence, status, name, key, text, versions)
        )

    def sequence_of(self, pattern_id: str) -> int:
        """The sequence at which a pattern last changed; 0 if it is not there."""
        row = self._connection.execute(
            "SELECT sequence FROM patterns WHERE pattern_id = ?", (pattern_id,)
        ).fetchone()
        return 0 if row is None else int(row[0])

    def advance(self, rows: Iterable[Row]) -> None:
        """Write what is newer than what is there."""
        self._connection.executemany(_ADVANCE, rows)

    def holders(self, names: Sequence[str], but: str) -> dict[str, str]:
        """Who holds the names, other than one pattern, and has no command on its way that names them."""
        found = {}
        for name in names:
            if row := self._connection.execute(_HOLDER, (name, but)).fetchone():
                found[name] = row[0]
        return found

    # ---------------------------------------------------------------- filling a new one beside the old

    def begin_filling(self) -> None:
        """Begin a confirmed state from nothing; the old one is read and written on until it is complete."""
        self._connection.execute("DROP TABLE IF EXISTS filling")
        self._connection.execute(NEW_FILLING)

    def fill(self, rows: Iterable[Row]) -> None:
        """Write a page of the new state."""
        self._connection.executemany(_FILL, rows)

    def put_filling_in_place(self) -> None:
        """The new state takes the place of the old one."""
        self._connection.execute("DROP TABLE patterns")
        self._connection.execute("ALTER TABLE filling RENAME TO patterns")
        self._connection.execute(NAME_INDEX)
