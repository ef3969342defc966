"""History: every version of every pattern, with who made it and what it was then."""

from datetime import datetime
from typing import assert_never

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
    pattern_id_of,
)
from projectors.chain import Step
from projectors.json_rows import facts_of, json_text
from projectors.patterns import facets_of
from projectors.rows import Row, add

HISTORY = ("team_id", "pattern_id", "version", "sequence", "item", "latest", "archived", "name", "facets")

_LATEST = """
SELECT team_id::text, (SELECT latest FROM history WHERE history.team_id = k.team_id
                        ORDER BY sequence DESC LIMIT 1)
  FROM unnest($1::uuid[]) AS k (team_id)
"""


class History:
    """One row per event of a pattern; rows are only ever added.

    `latest` is by team the latest time at which any of its rows was recorded. The brokers' clocks can go
    back, and with what is kept of them in each row a time still has one place in the log.
    """

    def __init__(self) -> None:
        self._versions: list[tuple[str, datetime, Step | None]] = []
        self._latest: dict[str, datetime] = {}

    def apply(self, step: Step) -> None:
        if not isinstance(step.event, PatternEvent):
            return
        match step.event:
            case PatternConflictDetected() | PatternConflictResolved() | PatternConflictAbandoned():
                self._take(step)
            case PatternRecorded() | PatternEdited() | PatternArchived() | PatternRestored():
                self._take(step)
            case PatternDeleted():
                self._take(step)
            case _:
                assert_never(step.event)

    def pass_over(self, team_id: str, stream: str, recorded_at: datetime) -> None:
        """Let `latest` go on with a version whose row is not wanted."""
        if pattern_id_of(stream) is not None:
            self._versions.append((team_id, recorded_at, None))

    def added(self) -> list[Row]:
        """The rows of the events since the last call; `latest` goes on with them."""
        versions, self._versions = self._versions, []
        dated = [(step, self._latest_with(team_id, at)) for team_id, at, step in versions]
        return [_row(step, latest) for step, latest in dated if step is not None]

    async def write(self, pg: Connection) -> None:
        if not self._versions:
            return
        teams = {team_id for team_id, _, _ in self._versions}
        self._latest = {team: at for team, at in await pg.fetch(_LATEST, list(teams)) if at is not None}
        await add(pg, "history", HISTORY, self.added())

    def _take(self, step: Step) -> None:
        self._versions.append((step.envelope.team_id, step.recorded_at, step))

    def _latest_with(self, team_id: str, recorded_at: datetime) -> datetime:
        self._latest[team_id] = max(recorded_at, self._latest.get(team_id, recorded_at))
        return self._latest[team_id]


def _row(step: Step, latest: datetime) -> Row:
    event, state = step.envelope, step.after
    told = (event.team_id, step.pattern_id, event.version, event.sequence, _item(step), latest)
    if not isinstance(state, Pattern):
        return (*told, None, None, [])
    return (*told, state.status == "archived", state.name, facets_of(event.team_id, state.fields))


def _item(step: Step) -> str:
    """A version as clients get it; the event's data and the fields after it are spliced in as text."""
    event = step.envelope
    head, data = json_text(facts_of(event))[:-1], event.data.decode()
    return f'{head},"data":{data},"fields":{step.fields or "null"}}}'
