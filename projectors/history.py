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
    PatternRecorded,
    PatternRestored,
)
from events.team import TeamCreated, TeamMergingChanged
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

    def __init__(self, latest: dict[str, datetime] | None = None) -> None:
        self._steps: list[Step] = []
        self._latest = {} if latest is None else latest

    def apply(self, step: Step) -> None:
        match step.event:
            case PatternConflictDetected() | PatternConflictResolved() | PatternConflictAbandoned():
                self._steps.append(step)
            case PatternRecorded() | PatternEdited() | PatternArchived() | PatternRestored():
                self._steps.append(step)
            case PatternDeleted():
                self._steps.append(step)
            case TeamCreated() | TeamMergingChanged():
                pass
            case _:
                assert_never(step.event)

    def added(self) -> list[Row]:
        """The rows of this batch; `latest` goes on with them."""
        return [_row(step, self._latest_with(step)) for step in self._steps]

    async def write(self, pg: Connection) -> None:
        if not self._steps:
            return
        teams = {step.envelope.team_id for step in self._steps}
        self._latest = {team: at for team, at in await pg.fetch(_LATEST, list(teams)) if at is not None}
        await add(pg, "history", HISTORY, self.added())

    def _latest_with(self, step: Step) -> datetime:
        team_id = step.envelope.team_id
        self._latest[team_id] = max(step.recorded_at, self._latest.get(team_id, step.recorded_at))
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
