"""Clients of the fake server, as tests drive them."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from events.json_text import Json, parse
from sync_client.client import SyncClient
from sync_client.drafts import Draft, Drafts
from sync_client.edits import Editor
from sync_client.library import Library, VisiblePattern
from sync_client.outbox import Outbox
from sync_client.replica import Replica, writable_replica
from sync_client.resolving import Decisions, Side
from sync_client.retrying import Patience
from sync_client.surroundings import Surroundings
from sync_client.transport import Transport
from tests.sync_fakes.server import FakeServer
from tests.sync_fakes.transport import FakeTransport

NOW = datetime(2026, 1, 1, tzinfo=UTC)
IMPATIENT = Patience(attempts=1, timeout=1.0, first_wait=0.0, longest_wait=0.0, jitter=0.0)
PATIENT = Patience(attempts=4, timeout=5.0, first_wait=0.0, longest_wait=0.0, jitter=0.0)


class Client:
    """One replica with its driver; the clock stands still and the ids are seeded."""

    def __init__(self, replica: Replica, transport: Transport, seed: str, patience: Patience) -> None:
        self.replica = replica
        self.transport = transport
        self.outbox = Outbox(replica.connection)
        self.library = Library(replica.connection)
        self._editor = Editor(replica)
        self._drafts = Drafts(replica.connection)
        self.now = NOW
        self.surroundings = Surroundings(
            now=lambda: NOW, random_bytes=random.Random(seed).randbytes, patience=patience
        )
        self.sync_client = SyncClient(replica, transport, self.surroundings)

    async def sync(self) -> None:
        """What `patternlog sync` does."""
        await self.restarted().pull()
        await self.restarted().push()
        await self.restarted().pull()

    def restarted(self) -> SyncClient:
        """The driver of the next run of the program."""
        return SyncClient(self.replica, self.transport, self.surroundings)

    def record(self, **fields: Json) -> str:
        with self.replica.transaction():
            return self._editor.record(fields, self.now)

    def edit(self, pattern_id: str, *remove: str, **given: Json) -> None:
        with self.replica.transaction():
            self._editor.edit(pattern_id, given, remove, self.now)

    def change_status(self, pattern_id: str, command_type: str) -> None:
        with self.replica.transaction():
            self._editor.change_status(pattern_id, command_type, self.now)

    def resolve(self, number: int, rest: Side | None = None, **given: Json) -> None:
        with self.replica.transaction():
            self._editor.resolve(number, Decisions(rest=rest, set=given), self.now)

    def abandon(self, number: int) -> None:
        with self.replica.transaction():
            self._editor.abandon(number, self.now)

    def drop(self, number: int) -> None:
        with self.replica.transaction():
            self._drafts.drop(number)

    def drafts(self) -> list[Draft]:
        return list(self._drafts.all())

    def create_team(self, name: str) -> None:
        with self.replica.transaction():
            self._editor.create_team(name, self.now)

    def fields(self, pattern_id: str) -> dict[str, Json]:
        """A pattern's fields as the user sees them; empty if there is none."""
        found = self.library.by_id(pattern_id)
        return {} if found is None else found.fields

    def live(self) -> dict[str, dict[str, Json]]:
        return {pattern.name: pattern.fields for pattern in self.visible()}

    def visible(self) -> list[VisiblePattern]:
        return list(self.library.patterns())

    def states(self) -> list[str]:
        """The state of every command that was ever made, in order."""
        rows = self.replica.connection.execute("SELECT state FROM outbox ORDER BY position")
        return [row[0] for row in rows]

    def command_at(self, position: int | None = None) -> dict[str, Json]:
        """A command by its number, or the newest."""
        (text,) = self.replica.connection.execute(
            "SELECT command FROM outbox WHERE position = coalesce(?, position) ORDER BY position DESC",
            (position,),
        ).fetchone()
        body: dict[str, Json] = parse(text.encode())
        return body

    def waiting_texts(self) -> list[str]:
        """Every command that is kept and not done, drafts included."""
        rows = self.replica.connection.execute("SELECT command FROM outbox WHERE state <> 'done'")
        return [row[0] for row in rows]

    def command_ids(self) -> list[str | None]:
        rows = self.replica.connection.execute("SELECT command_id FROM outbox ORDER BY position")
        return [row[0] for row in rows]


@contextmanager
def client_of(
    server: FakeServer, folder: Path, *, transport: Transport | None = None, patience: Patience = PATIENT
) -> Iterator[Client]:
    """A client with its replica in a folder, made or opened."""
    folder.mkdir(exist_ok=True)
    with writable_replica(folder) as replica:
        if replica.get("team_id") is None:
            with replica.transaction():
                replica.put("team_id", server.team_id)
        (made,) = replica.connection.execute("SELECT count(*) FROM outbox").fetchone()
        # Opened again, it must not give the ids that it gave before.
        yield Client(replica, transport or FakeTransport(server), f"{folder.name} {made}", patience)
