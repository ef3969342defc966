"""Libraries in the read models, written row by row as a projection writes them."""

import json
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import asyncpg
import httpx
from fastapi import FastAPI

from events.cursor import Cursor
from events.merge_rules import Policy, Rule
from events.pattern import (
    Pattern,
    PatternArchived,
    PatternConflictAbandoned,
    PatternConflictDetected,
    PatternConflictResolved,
    PatternDeleted,
    PatternEvent,
    PatternRecorded,
    PatternRestored,
    Status,
    stream_of,
)
from events.registry import Event, type_of, write
from events.shapes import utc_text
from events.stream import StreamState, evolve
from events.team import STREAM as TEAM_STREAM
from events.team import Team, TeamEvent, TeamMergingChanged
from projectors.schema.tables import metadata
from read_api.part import read_api_part
from read_api.routes import router
from runtime.log_setup import create_log
from runtime.postgres import create_engine
from runtime.settings import Settings
from runtime.web import build_app
from tests.databases import fresh_database, settings_for
from tests.facts import team_created
from tests.people_rows import write_people
from tests.read_rows import (
    RECORDED_AT,
    Fields,
    PatternRow,
    change_row,
    conflict_row,
    head_row,
    history_row,
    insert,
    query_row,
)
from tests.scribe import detected, edited, resolved
from tests.services import Services
from tests.tokens import bearer, signed_tokens_part


@dataclass(frozen=True, kw_only=True)
class ReadApi:
    """A read API on a database of its own."""

    app: FastAPI
    client: httpx.AsyncClient
    log_id: str
    pg: asyncpg.Connection

    async def get(self, url: str, **parameters: Any) -> Any:
        """The body of an answer that is expected to be 200."""
        answer = await self.client.get(url, params=parameters)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def problem(self, url: str, **parameters: Any) -> tuple[int, str]:
        """Status and code of an answer that is expected to be a problem."""
        answer = await self.client.get(url, params=parameters)
        assert answer.headers["content-type"] == "application/problem+json", answer.text
        assert answer.json()["status"] == answer.status_code
        return answer.status_code, answer.json()["code"]

    def cursor(self, library: "LibraryRows", sequence: int) -> str:
        """A cursor of a library's log."""
        return str(Cursor(log_id=self.log_id, team_id=library.team_id, sequence=sequence))

    async def new_library(self) -> "LibraryRows":
        """A team that was just created."""
        library = LibraryRows(pg=self.pg, team_id=str(uuid.uuid4()), log_id=self.log_id)
        await library.create()
        return library


async def pages_of(api: ReadApi, url: str, of: str, **asked: Any) -> list[Any]:
    """All that a list has, however many pages that takes."""
    found: list[Any] = []
    token: dict[str, str] = {}
    while True:
        body = await api.get(url, **asked, **token)
        found += body[of]
        if body["next_page"] is None:
            return found
        token = {"page": body["next_page"]}


@asynccontextmanager
async def running_read_api(
    services: Services, change: Callable[[Settings], Settings] = lambda settings: settings
) -> AsyncIterator[ReadApi]:
    """The read API as it runs in a process, on a log and read models of its own, with changed settings."""
    async with fresh_database(services) as dsn:
        settings = settings_for(services, dsn)
        identity = await create_log(settings)
        engine = create_engine(settings, "test")
        async with engine.begin() as connection:
            await connection.run_sync(metadata.create_all)
        await engine.dispose()
        app = build_app("read", change(settings), [router], [signed_tokens_part, read_api_part])
        pg = await asyncpg.connect(dsn)
        try:
            async with app.router.lifespan_context(app), client_of(app) as client:
                yield ReadApi(app=app, client=client, log_id=identity.log_id, pg=pg)
        finally:
            await pg.close()


def client_of(app: FastAPI) -> httpx.AsyncClient:
    """A client that calls the app without a network."""
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app),
        base_url="http://read",
        headers={"Authorization": bearer("ada")},
        timeout=60,
    )


@dataclass(kw_only=True)
class LibraryRows:
    """One team's rows, and its log's last sequence."""

    pg: asyncpg.Connection
    team_id: str
    log_id: str
    sequence: int = 0
    events: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    conflicts: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By id, as clients get them."""
    states: dict[str, StreamState] = field(default_factory=dict)
    recorded_at: datetime = RECORDED_AT
    """When the next events are recorded; a test may move it either way."""
    latest: datetime = datetime.min.replace(tzinfo=UTC)

    @property
    def url(self) -> str:
        """Where the team's resources are."""
        return f"/api/v1/teams/{self.team_id}"

    def conflicts_of(self, pattern_id: str) -> list[dict[str, Any]]:
        """Those of one pattern, as clients get them."""
        return [conflict for conflict in self.conflicts.values() if conflict["pattern_id"] == pattern_id]

    async def advance(self, by: int = 1) -> int:
        """Move the log's end on, as an event that changes no pattern does."""
        self.sequence += by
        await self.pg.execute(
            "INSERT INTO projected_logs VALUES ('library', $1, 0, $2, $3, $3, '')"
            " ON CONFLICT (projection, team_id)"
            " DO UPDATE SET log_id = excluded.log_id, last_sequence = excluded.last_sequence",
            self.team_id,
            self.log_id,
            self.sequence,
        )
        return self.sequence

    async def create(self) -> None:
        """Let there be a team."""
        await self.tell(team_created("Team"))

    async def set_merging(self, policy: Policy, **rules: Rule) -> None:
        """Choose how the library merges."""
        await self.tell(TeamMergingChanged(policy=policy, rules=rules))

    async def record(self, name: str, *, status: Status = "live", **fields: Any) -> PatternRow:
        """A new pattern."""
        pattern = PatternRow(
            pattern_id=str(uuid.uuid4()),
            version=1,
            sequence=self.sequence + 1,
            status=status,
            fields={"name": name, **fields},
        )
        return await self._write(pattern, PatternRecorded(fields={**pattern.fields}))

    async def edit(self, pattern: PatternRow, **fields: Any) -> PatternRow:
        """Set fields."""
        after = replace(self._next(pattern), fields={**pattern.fields, **fields})
        return await self._write(after, edited(pattern.version, **fields))

    async def conflict(self, pattern: PatternRow, **fields: Any) -> tuple[PatternRow, str]:
        """An edit that cannot be merged; its id."""
        conflict_id = str(uuid.uuid4())
        return await self._write(self._next(pattern), detected(conflict_id, **fields)), conflict_id

    async def resolve(self, pattern: PatternRow, conflict_id: str, **fields: Any) -> PatternRow:
        """Decide on a conflict."""
        after = replace(self._next(pattern), fields={**pattern.fields, **fields})
        return await self._write(after, resolved(conflict_id, pattern.version, **fields))

    async def abandon(self, pattern: PatternRow, conflict_id: str) -> PatternRow:
        """Give an edit in conflict up."""
        return await self._write(self._next(pattern), PatternConflictAbandoned(conflict_id=conflict_id))

    async def archive(self, pattern: PatternRow) -> PatternRow:
        """Put it away."""
        return await self._write(replace(self._next(pattern), status="archived"), PatternArchived())

    async def restore(self, pattern: PatternRow) -> PatternRow:
        """Take it out again."""
        return await self._write(replace(self._next(pattern), status="live"), PatternRestored())

    async def delete(self, pattern: PatternRow) -> PatternRow:
        """Leave a tombstone."""
        return await self._write(replace(self._next(pattern), status="deleted"), PatternDeleted())

    def _next(self, pattern: PatternRow) -> PatternRow:
        return replace(pattern, version=pattern.version + 1, sequence=self.sequence + 1)

    async def _write(self, pattern: PatternRow, event: PatternEvent) -> PatternRow:
        deleted = pattern.status == "deleted"
        self.latest = max(self.latest, self.recorded_at)
        facts = self._facts(pattern, event)
        item = {**facts, "data": json.loads(write(event)), "fields": None if deleted else pattern.fields}
        self.events.setdefault(pattern.pattern_id, []).append(item)
        self._note_conflict(pattern.pattern_id, event, facts)
        async with self.pg.transaction():
            await self._remove(pattern)
            await insert(self.pg, "changes", [change_row(self.team_id, pattern)])
            await insert(self.pg, "history", [history_row(self.team_id, pattern, item, self.latest)])
            if not deleted:
                await insert(self.pg, "patterns", [query_row(self.team_id, pattern)])
            if conflicts := self.conflicts_of(pattern.pattern_id):
                await insert(self.pg, "conflicts", [conflict_row(self.team_id, one) for one in conflicts])
            await self._write_head(stream_of(pattern.pattern_id), event, pattern.status)
            await self.advance()
        return pattern

    def _facts(self, pattern: PatternRow, event: PatternEvent) -> dict[str, Any]:
        return {
            "version": pattern.version,
            "sequence": pattern.sequence,
            "type": type_of(event),
            "actor": "ada",
            "command_id": str(uuid.uuid4()),
            "request_id": "request-1",
            "occurred_at": "2026-01-02T03:04:05.000Z",
            "recorded_at": utc_text(self.recorded_at),
        }

    def _note_conflict(self, pattern_id: str, event: PatternEvent, facts: Fields) -> None:
        match event:
            case PatternConflictDetected():
                item = {"pattern_id": pattern_id, **facts, **json.loads(write(event))}
                self.conflicts[event.conflict_id] = {**item, "status": "open", "closed": None}
            case PatternConflictResolved():
                closing = {**facts, "choices": event.choices}
                self.conflicts[event.conflict_id] |= {"status": "resolved", "closed": closing}
            case PatternConflictAbandoned():
                self.conflicts[event.conflict_id] |= {"status": "abandoned", "closed": facts}
            case PatternDeleted():
                for conflict in self.conflicts_of(pattern_id):
                    if conflict["status"] == "open":
                        conflict |= {"status": "deleted", "closed": facts}
            case _:
                pass

    async def tell(self, event: TeamEvent) -> None:
        """Any event of the team."""
        async with self.pg.transaction():
            await self._write_head(TEAM_STREAM, event)
            await self.advance()

    async def _write_head(self, stream: str, event: Event, status: str = "live") -> None:
        state = evolve(self.states.get(stream), event)
        if isinstance(state, Pattern) and status == "archived":
            state = replace(state, status="archived")
        self.states[stream] = state
        await self.pg.execute("DELETE FROM heads WHERE team_id = $1 AND stream = $2", self.team_id, stream)
        await insert(self.pg, "heads", [head_row(self.team_id, stream, state)])
        if isinstance(state, Team):
            await write_people(self.pg, self.team_id, state, self.sequence + 1, self.recorded_at)

    async def _remove(self, pattern: PatternRow) -> None:
        for table in ("patterns", "changes", "conflicts"):
            await self.pg.execute(
                f"DELETE FROM {table} WHERE team_id = $1 AND pattern_id = $2",
                self.team_id,
                pattern.pattern_id,
            )
