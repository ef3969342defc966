"""Heads: the current state of each stream, and the names that live patterns hold; what decisions read."""

from collections.abc import Iterable
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
    taken_name,
)
from events.state_json import dump_state, load_state
from events.stream import StreamState
from projectors.chain import Step, StreamKey
from projectors.json_rows import json_text
from projectors.read_model import Touched, TouchedStreams
from projectors.rows import Row, add, arrays, must_find

HEADS = ("team_id", "stream", "version", "state")
NAMES = ("team_id", "name_key", "pattern_id")

_LOAD = """
SELECT h.team_id::text, h.stream, h.state
  FROM unnest($1::uuid[], $2::text[]) AS k (team_id, stream)
  JOIN heads AS h ON h.team_id = k.team_id AND h.stream = k.stream COLLATE "C"
"""

_REMOVE = """
DELETE FROM heads AS h USING unnest($1::uuid[], $2::text[]) AS u (team_id, stream)
 WHERE h.team_id = u.team_id AND h.stream = u.stream COLLATE "C" RETURNING true
"""

_FREE = """
DELETE FROM names AS n
 USING unnest($1::uuid[], $2::text[], $3::uuid[]) AS u (team_id, name_key, pattern_id)
 WHERE n.team_id = u.team_id AND n.name_key = u.name_key COLLATE "C" AND n.pattern_id = u.pattern_id
RETURNING true
"""


async def load_states(pg: Connection, streams: Iterable[StreamKey]) -> dict[StreamKey, StreamState]:
    """The states of those streams that have events."""
    rows = await pg.fetch(_LOAD, *arrays(streams))
    return {(team_id, stream): load_state(state) for team_id, stream, state in rows}


class Heads:
    """The current state of each stream."""

    def __init__(self) -> None:
        self._touched = TouchedStreams()

    def apply(self, step: Step) -> None:
        self._touched.add(step)

    def added(self) -> list[Row]:
        """The rows of streams that began in this batch."""
        return [_head(one) for one in self._touched if one.is_new]

    async def write(self, pg: Connection) -> None:
        old = [one for one in self._touched if not one.is_new]
        await must_find(pg, _REMOVE, [one.key for one in old])
        await add(pg, "heads", HEADS, [_head(one) for one in self._touched])


class Names:
    """The names that live patterns hold: one that is let go in a batch can be taken in the same one."""

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
        """The names that are taken after the batch and were not before, or not by the same pattern."""
        return self._renamed()[1]

    def freed(self) -> list[Row]:
        """The names that were taken before the batch and are not after it, or not by the same pattern."""
        return self._renamed()[0]

    async def write(self, pg: Connection) -> None:
        freed, taken = self._renamed()
        await must_find(pg, _FREE, freed)
        await add(pg, "names", NAMES, taken)

    def _renamed(self) -> tuple[list[Row], list[Row]]:
        freed, taken = [], []
        for one in self._touched:
            before, after = _name(one.before), _name(one.last.after)
            if before != after:
                key = (one.last.envelope.team_id, one.last.pattern_id)
                freed += [(key[0], before, key[1])] if before is not None else []
                taken += [(key[0], after, key[1])] if after is not None else []
        return freed, taken


def _head(one: Touched) -> Row:
    event = one.last.envelope
    return (event.team_id, event.stream, event.version, _state_text(one.last))


def _state_text(step: Step) -> str:
    """What `dump_state` writes, from the fields' text that is there already."""
    state = step.after
    if not isinstance(state, Pattern):
        return dump_state(state)
    conflicts = f',"conflicts":{json_text(state.conflicts)}' if state.conflicts else ""
    return (
        f'{{"kind":"pattern","version":{state.version},"status":"{state.status}","fields":{step.fields},'
        f'"field_versions":{json_text(state.field_versions)}{conflicts}}}'
    )


def _name(state: StreamState | None) -> str | None:
    return taken_name(state) if isinstance(state, Pattern) else None
