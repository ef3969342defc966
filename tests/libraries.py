"""Libraries in the read models, written row by row as a projection writes them."""

import json
import uuid
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import asyncpg
import httpx
from fastapi import FastAPI

from events.cursor import Cursor
from projectors.schema import facet, metadata
from read_api.part import read_api_part
from read_api.routes import router
from runtime.log_setup import create_log
from runtime.postgres import create_engine
from runtime.settings import Settings
from runtime.web import build_app
from tests.databases import fresh_database, settings_for
from tests.services import Services

ACTOR = {"Authorization": "Bearer dev-ada"}
SEVERITIES = {"low": 1, "medium": 2, "high": 3, "critical": 4}
Fields = Mapping[str, Any]
Row = Mapping[str, Any]
RECORDED_AT = datetime(2026, 1, 2, 3, 4, 6, tzinfo=UTC)


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
        await library.advance()
        return library


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
        app = build_app("read", change(settings), [router], [read_api_part])
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
        headers=ACTOR,
        timeout=60,
    )


@dataclass(frozen=True, kw_only=True)
class PatternRow:
    """A pattern as it is after its last event."""

    pattern_id: str
    version: int
    sequence: int
    status: str
    fields: Fields

    @property
    def document(self) -> dict[str, Any]:
        """What clients get."""
        return {
            "pattern_id": self.pattern_id,
            "version": self.version,
            "sequence": self.sequence,
            "status": self.status,
            "fields": self.fields,
        }

    @property
    def tombstone(self) -> dict[str, Any]:
        """What clients get of a deleted one."""
        return {**{k: v for k, v in self.document.items() if k != "fields"}, "status": "deleted"}


@dataclass(kw_only=True)
class LibraryRows:
    """One team's rows, and its log's last sequence."""

    pg: asyncpg.Connection
    team_id: str
    log_id: str
    sequence: int = 0
    events: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Where the team's resources are."""
        return f"/api/v1/teams/{self.team_id}"

    async def advance(self, by: int = 1) -> int:
        """Move the log's end on, as an event that changes no pattern does."""
        self.sequence += by
        await self.pg.execute(
            "INSERT INTO projected_logs VALUES ('library', 1, $1, 0, $2, $3, $3, '')"
            " ON CONFLICT (projection, generation, team_id)"
            " DO UPDATE SET log_id = excluded.log_id, last_sequence = excluded.last_sequence",
            self.team_id,
            self.log_id,
            self.sequence,
        )
        return self.sequence

    async def record(self, name: str, *, status: str = "live", **fields: Any) -> PatternRow:
        """A new pattern."""
        pattern = PatternRow(
            pattern_id=str(uuid.uuid4()),
            version=1,
            sequence=self.sequence + 1,
            status=status,
            fields={"name": name, **fields},
        )
        return await self._write(pattern, "pattern.recorded.v1", {"fields": pattern.fields})

    async def edit(self, pattern: PatternRow, **fields: Any) -> PatternRow:
        """Set fields."""
        after = replace(self._next(pattern), fields={**pattern.fields, **fields})
        return await self._write(after, "pattern.edited.v2", {"set": fields, "remove": [], "merged": {}})

    async def archive(self, pattern: PatternRow) -> PatternRow:
        """Put it away."""
        return await self._write(replace(self._next(pattern), status="archived"), "pattern.archived.v1", {})

    async def delete(self, pattern: PatternRow) -> PatternRow:
        """Leave a tombstone."""
        return await self._write(replace(self._next(pattern), status="deleted"), "pattern.deleted.v1", {})

    def _next(self, pattern: PatternRow) -> PatternRow:
        return replace(pattern, version=pattern.version + 1, sequence=self.sequence + 1)

    async def _write(self, pattern: PatternRow, event_type: str, data: Fields) -> PatternRow:
        deleted = pattern.status == "deleted"
        event = {
            "version": pattern.version,
            "sequence": pattern.sequence,
            "type": event_type,
            "actor": "ada",
            "command_id": str(uuid.uuid4()),
            "request_id": "request-1",
            "occurred_at": "2026-01-02T03:04:05.000Z",
            "recorded_at": "2026-01-02T03:04:06.000Z",
            "data": data,
            "fields": None if deleted else pattern.fields,
        }
        self.events.setdefault(pattern.pattern_id, []).append(event)
        async with self.pg.transaction():
            await self._remove(pattern)
            await insert(self.pg, "changes", [change_row(self.team_id, pattern)])
            await insert(self.pg, "history", [history_row(self.team_id, pattern, event)])
            if not deleted:
                await insert(self.pg, "patterns", [query_row(self.team_id, pattern)])
            await self.advance()
        return pattern

    async def _remove(self, pattern: PatternRow) -> None:
        for table in ("patterns", "changes"):
            await self.pg.execute(
                f"DELETE FROM {table} WHERE team_id = $1 AND pattern_id = $2",
                self.team_id,
                pattern.pattern_id,
            )


async def insert(pg: asyncpg.Connection, table: str, rows: Sequence[Row]) -> None:
    """Add rows in bulk."""
    columns = list(rows[0])
    await pg.copy_records_to_table(table, records=[tuple(row.values()) for row in rows], columns=columns)


def query_row(team_id: str, pattern: PatternRow) -> Row:
    """A row of `patterns`."""
    fields, at = pattern.fields, RECORDED_AT
    return {
        "team_id": team_id,
        "pattern_id": pattern.pattern_id,
        "version": pattern.version,
        "sequence": pattern.sequence,
        "archived": pattern.status == "archived",
        "name": fields["name"],
        "category": fields.get("category"),
        "severity": SEVERITIES.get(fields.get("severity", "")),
        "tags": fields.get("tags", []),
        "facets": [
            *(facet(team_id, key, fields[key]) for key in ("category", "severity") if key in fields),
            *(facet(team_id, "tag", tag) for tag in fields.get("tags", [])),
        ],
        "created_at": at,
        "updated_at": at,
        "fields": compact(fields),
    }


def change_row(team_id: str, pattern: PatternRow) -> Row:
    """A row of `changes`."""
    shown = pattern.tombstone if pattern.status == "deleted" else pattern.document
    return {
        "team_id": team_id,
        "pattern_id": pattern.pattern_id,
        "sequence": pattern.sequence,
        "item": compact(shown),
    }


def history_row(team_id: str, pattern: PatternRow, event: Fields) -> Row:
    """A row of `history`."""
    return {
        "team_id": team_id,
        "pattern_id": pattern.pattern_id,
        "version": pattern.version,
        "sequence": pattern.sequence,
        "item": compact(event),
    }


def compact(value: Fields) -> str:
    """JSON text as stored."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
