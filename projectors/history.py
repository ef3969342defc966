"""History: every version of every pattern, with who made it and what it was then."""

from typing import assert_never

from asyncpg import Connection

from events.pattern import (
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
from projectors.rows import Row, add

HISTORY = ("team_id", "pattern_id", "version", "sequence", "item")


class History:
    """One row per event of a pattern; rows are only ever added."""

    def __init__(self) -> None:
        self._steps: list[Step] = []

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
        """The rows of this batch."""
        return [_row(step) for step in self._steps]

    async def write(self, pg: Connection) -> None:
        await add(pg, "history", HISTORY, self.added())


def _row(step: Step) -> Row:
    event = step.envelope
    return (event.team_id, step.pattern_id, event.version, event.sequence, _item(step))


def _item(step: Step) -> str:
    """A version as clients get it; the event's data and the fields after it are spliced in as text."""
    event = step.envelope
    head, data = json_text(facts_of(event))[:-1], event.data.decode()
    return f'{head},"data":{data},"fields":{step.fields or "null"}}}'
