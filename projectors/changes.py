"""Changes: the latest state of each pattern by position, tombstones included; what a sync reads."""

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
)
from projectors.chain import Step
from projectors.read_model import Touched, TouchedStreams
from projectors.rows import Row, add, must_find

CHANGES = ("team_id", "pattern_id", "sequence", "item")

_REMOVE = """
DELETE FROM changes AS c USING unnest($1::uuid[], $2::uuid[]) AS u (team_id, pattern_id)
 WHERE c.team_id = u.team_id AND c.pattern_id = u.pattern_id RETURNING true
"""


class Changes:
    """One row per pattern that ever was, at the sequence of its last event."""

    def __init__(self) -> None:
        self._touched = TouchedStreams()

    def apply(self, step: Step) -> None:
        if not isinstance(step.event, PatternEvent):
            return
        match step.event:
            case PatternConflictDetected() | PatternConflictResolved() | PatternConflictAbandoned():
                self._touched.add(step)
            case PatternRecorded() | PatternEdited() | PatternArchived() | PatternRestored():
                self._touched.add(step)
            case PatternDeleted():
                self._touched.add(step)
            case _:
                assert_never(step.event)

    def added(self) -> list[Row]:
        """The rows of patterns that were recorded in this batch."""
        return [_row(one) for one in self._touched if one.is_new]

    async def write(self, pg: Connection) -> None:
        rows = [_row(one) for one in self._touched]
        old = [row[:2] for row, one in zip(rows, self._touched, strict=True) if not one.is_new]
        await must_find(pg, _REMOVE, old)
        await add(pg, "changes", CHANGES, rows)


def _row(one: Touched) -> Row:
    step = one.last
    return (step.envelope.team_id, step.pattern_id, step.envelope.sequence, _item(step))


def _item(step: Step) -> str:
    """A pattern as clients get it, or its tombstone; ids, numbers and the status need no escaping."""
    event, state = step.envelope, step.after
    head = f'{{"pattern_id":"{step.pattern_id}","version":{event.version},"sequence":{event.sequence}'
    if isinstance(state, Pattern):
        return f'{head},"status":"{state.status}","fields":{step.fields}}}'
    return f'{head},"status":"deleted"}}'
