"""Audit: every event of every stream as it was written, and what was there before it."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple, assert_never

from asyncpg import Connection

from events.json_text import Json
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
from events.stream import StreamState
from events.written import written_before
from projectors.chain import Step
from projectors.json_rows import json_text
from projectors.rows import Row, add

AUDIT = (
    *("team_id", "sequence", "latest", "log_id", "stream", "version", "type", "command_id", "command_hash"),
    *("command_index", "command_count", "actor", "request_id", "occurred_at", "recorded_at"),
    *("previous_hash", "data", "before"),
)

_LATEST = """
SELECT team_id::text, (SELECT latest FROM audit WHERE audit.team_id = k.team_id
                        ORDER BY sequence DESC LIMIT 1)
  FROM unnest($1::uuid[]) AS k (team_id)
"""


class _Passed(NamedTuple):
    """An event whose row is not wanted."""

    team_id: str
    recorded_at: datetime


class Audit:
    """One row per event; rows are only ever added.

    `latest` is by team the latest time at which any of its rows was recorded: it never goes back along a
    log, so that the place of a time is found by the primary key alone.
    """

    def __init__(self) -> None:
        self._steps: list[Step | _Passed] = []
        self._latest: dict[str, datetime] = {}

    def apply(self, step: Step) -> None:
        self._steps.append(step)

    def pass_over(self, team_id: str, stream: str, recorded_at: datetime) -> None:  # noqa: ARG002
        """Let `latest` go on with an event whose row is not wanted."""
        self._steps.append(_Passed(team_id, recorded_at))

    def added(self) -> list[Row]:
        """The rows of the events since the last call; `latest` goes on with them."""
        steps, self._steps = self._steps, []
        rows, latest = [], self._latest
        for step in steps:
            known = latest.get(step.team_id)
            if known is None or known < step.recorded_at:
                latest[step.team_id] = known = step.recorded_at
            if isinstance(step, _Passed):
                continue
            event, before = step.envelope, _before(step)
            # Flat, since every event passes here.
            rows.append(
                (
                    event.team_id, event.sequence, known, event.log_id, event.stream, event.version,
                    event.type, event.command_id, bytes.fromhex(event.command_hash), event.command_index,
                    event.command_count, event.actor, event.request_id, event.occurred_at,
                    event.recorded_at, bytes.fromhex(event.previous_hash), event.data.decode(),
                    json_text(before) if before else None,
                )
            )  # fmt: skip
        return rows

    async def write(self, pg: Connection) -> None:
        teams = {step.team_id for step in self._steps}
        self._latest = {team: at for team, at in await pg.fetch(_LATEST, list(teams)) if at is not None}
        await add(pg, "audit", AUDIT, self.added())


_NOTHING: Mapping[str, Json] = {}


def _before(step: Step) -> Mapping[str, Json]:
    """What the event took the place of, or took away; what it put there is in its data."""
    if not isinstance(step.event, PatternEvent):
        return written_before(step.before, step.event)
    match step.event:
        case PatternRecorded() | PatternArchived() | PatternRestored():
            return _NOTHING
        case PatternEdited() | PatternConflictResolved():
            fields = _fields(step.before)
            return {name: fields[name] for name in (*step.event.set, *step.event.remove) if name in fields}
        case PatternConflictDetected() | PatternConflictAbandoned():
            return _NOTHING
        case PatternDeleted():
            return _fields(step.before)
        case _:
            assert_never(step.event)


def _fields(state: StreamState | None) -> Mapping[str, Json]:
    return state.fields if isinstance(state, Pattern) else _NOTHING
