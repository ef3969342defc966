"""Conflicts: every edit that could not be merged, and how its conflict ended."""

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
from projectors.json_rows import facts_of, json_text
from projectors.rows import Row, add, must_find

CONFLICTS = ("team_id", "conflict_id", "pattern_id", "sequence", "status", "item", "closing")

_CLOSE = """
UPDATE conflicts AS c SET status = u.status, closing = u.closing
  FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[]) AS u (team_id, conflict_id, status, closing)
 WHERE c.team_id = u.team_id AND c.conflict_id = u.conflict_id AND c.status = 'open' RETURNING true
"""


class Conflicts:
    """One row per conflict that ever was, at the sequence of its detection."""

    def __init__(self) -> None:
        self._added: dict[Row, Row] = {}
        self._closed: list[Row] = []

    def apply(self, step: Step) -> None:
        if not isinstance(step.event, PatternEvent):
            return
        match step.event:
            case PatternConflictDetected(conflict_id=conflict_id):
                self._open(step, conflict_id)
            case PatternConflictResolved(conflict_id=conflict_id, choices=choices):
                closing = json_text({**facts_of(step.envelope), "choices": choices})
                self._close(step, conflict_id, "resolved", closing)
            case PatternConflictAbandoned(conflict_id=conflict_id):
                self._close(step, conflict_id, "abandoned", json_text(facts_of(step.envelope)))
            case PatternDeleted():
                closing = json_text(facts_of(step.envelope))
                for conflict_id in step.before.conflicts if isinstance(step.before, Pattern) else ():
                    self._close(step, conflict_id, "deleted", closing)
            case PatternRecorded() | PatternEdited() | PatternArchived() | PatternRestored():
                pass
            case _:
                assert_never(step.event)

    def added(self) -> list[Row]:
        """The rows of conflicts that were detected in this batch, as they are after it."""
        return list(self._added.values())

    async def write(self, pg: Connection) -> None:
        await must_find(pg, _CLOSE, self._closed)
        await add(pg, "conflicts", CONFLICTS, self.added())

    def _open(self, step: Step, conflict_id: str) -> None:
        key = (step.envelope.team_id, conflict_id)
        if key in self._added:
            raise ValueError(f"the conflict {conflict_id} was detected before")
        self._added[key] = (*key, step.pattern_id, step.envelope.sequence, "open", _item(step), None)

    def _close(self, step: Step, conflict_id: str, status: str, closing: str) -> None:
        key = (step.envelope.team_id, conflict_id)
        if (row := self._added.get(key)) is None:
            self._closed.append((*key, status, closing))
        else:
            _, _, pattern_id, sequence, _, item, _ = row
            self._added[key] = (*key, pattern_id, sequence, status, item, closing)


def _item(step: Step) -> str:
    """A conflict as clients get it, but for its end: the event's facts, and its data spliced in as text."""
    head = json_text({"pattern_id": step.pattern_id, **facts_of(step.envelope)})[:-1]
    return f"{head},{step.envelope.data.decode().strip()[1:]}"
