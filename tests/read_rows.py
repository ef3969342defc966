"""Rows of the read models as a projection writes them, and what clients get of them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import asyncpg

from events.state_json import dump_state
from events.stream import StreamState
from projectors.schema.library import facet

SEVERITIES = {"low": 1, "medium": 2, "high": 3, "critical": 4}
Fields = Mapping[str, Any]
Row = Mapping[str, Any]
RECORDED_AT = datetime(2026, 1, 2, 3, 4, 6, tzinfo=UTC)


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
        "facets": facets_of(team_id, fields),
        "created_at": at,
        "updated_at": at,
        "fields": compact(fields),
    }


def facets_of(team_id: str, fields: Fields) -> list[str]:
    """What a pattern with these fields is found by."""
    return [
        *(facet(team_id, key, fields[key]) for key in ("category", "severity") if key in fields),
        *(facet(team_id, "tag", tag) for tag in fields.get("tags", [])),
    ]


def change_row(team_id: str, pattern: PatternRow) -> Row:
    """A row of `changes`."""
    shown = pattern.tombstone if pattern.status == "deleted" else pattern.document
    return {
        "team_id": team_id,
        "pattern_id": pattern.pattern_id,
        "sequence": pattern.sequence,
        "item": compact(shown),
    }


def history_row(team_id: str, pattern: PatternRow, event: Fields, latest: datetime) -> Row:
    """A row of `history`."""
    exists = pattern.status != "deleted"
    return {
        "team_id": team_id,
        "pattern_id": pattern.pattern_id,
        "version": pattern.version,
        "sequence": pattern.sequence,
        "latest": latest,
        "archived": pattern.status == "archived" if exists else None,
        "name": pattern.fields["name"] if exists else None,
        "facets": facets_of(team_id, pattern.fields) if exists else [],
        "item": compact(event),
    }


def head_row(team_id: str, stream: str, state: StreamState) -> Row:
    """A row of `heads`."""
    return {"team_id": team_id, "stream": stream, "version": state.version, "state": dump_state(state)}


def conflict_row(team_id: str, conflict: Fields) -> Row:
    """A row of `conflicts`, of the conflict as clients get it."""
    item = {name: value for name, value in conflict.items() if name not in ("status", "closed")}
    return {
        "team_id": team_id,
        **{name: conflict[name] for name in ("conflict_id", "pattern_id", "sequence", "status")},
        "item": compact(item),
        "closing": conflict["closed"] and compact(conflict["closed"]),
    }


def compact(value: Fields) -> str:
    """JSON text as stored."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
