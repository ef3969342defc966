"""Patterns: live and archived ones with the columns that queries filter and sort by."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, assert_never

from asyncpg import Connection

from events.pattern import (
    Pattern,
    PatternArchived,
    PatternConflictAbandoned,
    PatternConflictDetected,
    PatternConflictResolved,
    PatternDeleted,
    PatternEdited,
    PatternEvent,
    PatternRecorded,
    PatternRestored,
)
from projectors.chain import Step
from projectors.read_model import Touched, TouchedStreams
from projectors.rows import Row, add, must_find
from projectors.schema.library import facet

PATTERNS = (
    *("team_id", "pattern_id", "version", "sequence", "archived", "name", "category", "severity", "tags"),
    *("facets", "updated_at", "fields", "created_at"),
)
SEVERITIES: Mapping[str | None, int] = {"low": 1, "medium": 2, "high": 3, "critical": 4}

_REMOVE = """
DELETE FROM patterns AS p USING unnest($1::uuid[], $2::uuid[]) AS u (team_id, pattern_id)
 WHERE p.team_id = u.team_id AND p.pattern_id = u.pattern_id
RETURNING p.team_id::text, p.pattern_id::text, p.created_at
"""


class Patterns:
    """Live and archived patterns; a deleted one has no row."""

    def __init__(self) -> None:
        self._touched = TouchedStreams()

    def apply(self, step: Step) -> None:
        if not isinstance(step.event, PatternEvent):
            return
        match step.event:
            case PatternRecorded() | PatternEdited() | PatternConflictResolved():
                _check_fields(step)
                self._touched.add(step)
            case PatternConflictDetected() | PatternConflictAbandoned():
                self._touched.add(step)
            case PatternArchived() | PatternRestored() | PatternDeleted():
                self._touched.add(step)
            case _:
                assert_never(step.event)

    def added(self) -> list[Row]:
        """The rows of patterns that were recorded in this batch and live on."""
        return [(*row, one.created_at) for one in self._touched if one.is_new and (row := _row(one))]

    async def write(self, pg: Connection) -> None:
        old = [one for one in self._touched if not one.is_new]
        created = {row[:2]: row[2] for row in await must_find(pg, _REMOVE, [_key(one) for one in old])}
        kept = [(*row, created[row[:2]]) for one in old if (row := _row(one))]
        await add(pg, "patterns", PATTERNS, self.added() + kept)


_facet = lru_cache(maxsize=65_536)(facet)


def _key(one: Touched) -> Row:
    return (one.last.envelope.team_id, one.last.pattern_id)


def _row(one: Touched) -> Row | None:
    state = one.last.after
    if not isinstance(state, Pattern):
        return None
    fields, event = state.fields, one.last.envelope
    category, severity, tags = _filtered(fields)
    return (
        *_key(one),
        *(event.version, event.sequence, state.status == "archived", state.name, category),
        *(SEVERITIES.get(severity), tags, facets_of(event.team_id, fields)),
        *(one.last.recorded_at, one.last.fields),
    )


def facets_of(team_id: str, fields: Mapping[str, Any]) -> list[str]:
    """What a pattern with these fields is found by."""
    category, severity, tags = _filtered(fields)
    words = [("category", category), ("severity", severity), *(("tag", tag) for tag in tags)]
    return [_facet(team_id, field, value) for field, value in words if value is not None]


def _filtered(fields: Mapping[str, Any]) -> tuple[str | None, str | None, list[str]]:
    return fields.get("category"), fields.get("severity"), fields.get("tags", [])


def _check_fields(step: Step) -> None:
    """Raise ValueError for a known field that does not fit its column: decisions let none through."""
    state = step.after
    fields: Mapping[str, Any] = state.fields if isinstance(state, Pattern) else {}
    tags = fields.get("tags", [])
    fits = (
        isinstance(fields.get("name"), str)
        and isinstance(fields.get("category", ""), str)
        and fields.get("severity", "low") in SEVERITIES
        and isinstance(tags, list)
        and all(isinstance(tag, str) for tag in tags)
    )
    if not fits:
        raise ValueError("a field is not of its type")
