"""A library's local replica in SQLite: one file, one writer, any number of readers."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sync_client.errors import ReplicaError
from sync_client.replica_lock import writer_lock
from sync_client.replica_schema import check_version, is_older, prepare

_FILE, _LOCK = "replica.sqlite", "lock"
_BUSY_S = 10.0

# What is promised to the server has to be on the disk before it is sent.
_DURABLE = "PRAGMA synchronous = FULL"


class Replica:
    """An open replica. Statements outside `transaction` see the last committed state."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of the body's changes, or none of them."""
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self.connection.rollback()
            raise
        self.connection.commit()

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Reads of the body see one state, whoever writes meanwhile."""
        self.connection.execute("BEGIN")
        try:
            yield
        finally:
            self.connection.rollback()

    def get(self, key: str) -> str | None:
        """A value of the replica's own notes."""
        row = self.connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    def put(self, key: str, value: str | None) -> None:
        """Note a value, or forget it."""
        if value is None:
            self.connection.execute("DELETE FROM meta WHERE key = ?", (key,))
        else:
            self.connection.execute("REPLACE INTO meta (key, value) VALUES (?, ?)", (key, value))


@contextmanager
def writable_replica(folder: Path) -> Iterator[Replica]:
    """Open a folder's replica to write, making it if need be; one process at a time."""
    with _explained(), writer_lock(folder / _LOCK), closing(_connect(folder / _FILE, "rwc")) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(_DURABLE)
        prepare(connection)
        yield Replica(connection)


@contextmanager
def readable_replica(folder: Path) -> Iterator[Replica]:
    """Open a folder's replica to read, also while another process writes."""
    with _explained(), closing(_connect(folder / _FILE, "rw")) as connection:
        if is_older(connection):
            with writable_replica(folder):
                pass
        connection.execute("PRAGMA query_only = ON")
        check_version(connection)
        yield Replica(connection)


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    address = f"{path.resolve().as_uri()}?mode={mode}"
    return sqlite3.connect(address, uri=True, timeout=_BUSY_S, isolation_level=None)


@contextmanager
def _explained() -> Iterator[None]:
    """SQLite's errors as the client's own."""
    try:
        yield
    except sqlite3.Error as error:
        name = getattr(error, "sqlite_errorname", type(error).__name__)
        raise ReplicaError("replica_unusable", f"the replica's database: {error} ({name})") from error
