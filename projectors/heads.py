"""Heads: the current state of each stream, and the names that live patterns hold; what decisions read."""

from collections.abc import Iterable
from typing import assert_never

from asyncpg import Connection

from events.pattern import (
    Pattern,
    PatternArchived,
    PatternDeleted,
    PatternEdited,
    PatternRecorded,
    PatternRestored,
    taken_name,
)
from events.state_json import dump_state, load_state
from events.stream import StreamState
from events.team import TeamCreated
from projectors.chain import Step, StreamKey
from projectors.read_model import Touched, TouchedStreams
from projectors.rows import Row, arrays, change, copy

HEADS = ("team_id", "stream", "version", "state")
NAMES = ("team_id", "name_key", "pattern_id")

_LOAD = """
SELECT h.team_id::text, h.stream, h.state
  FROM unnest($1::uuid[], $2::text[]) AS k (team_id, stream)
  JOIN heads AS h ON h.team_id = k.team_id AND h.stream = k.stream COLLATE "C"
"""

_UPDATE = """
UPDATE heads AS h SET version = u.version, state = u.state
  FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::text[]) AS u (team_id, stream, version, state)
 WHERE h.team_id = u.team_id AND h.stream = u.stream COLLATE "C"
"""

_FREE = """
DELETE FROM names AS n
 USING unnest($1::uuid[], $2::text[], $3::uuid[]) AS u (team_id, name_key, pattern_id)
 WHERE n.team_id = u.team_id AND n.name_key = u.name_key COLLATE "C" AND n.pattern_id = u.pattern_id
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
        match step.event:
            case PatternRecorded() | PatternEdited() | PatternArchived() | PatternRestored():
                self._touched.add(step)
            case PatternDeleted() | TeamCreated():
                self._touched.add(step)
            case _:
                assert_never(step.event)

    def added(self) -> list[Row]:
        """The rows of streams that began in this batch."""
        return [_head(one) for one in self._touched if one.is_new]

    async def write(self, pg: Connection) -> None:
        await copy(pg, "heads", HEADS, self.added())
        await change(pg, _UPDATE, [_head(one) for one in self._touched if not one.is_new])


class Names:
    """The names that live patterns hold: one that is let go in a batch can be taken in the same one."""

    def __init__(self) -> None:
        self._touched = TouchedStreams()

    def apply(self, step: Step) -> None:
        match step.event:
            case PatternRecorded() | PatternEdited() | PatternArchived() | PatternRestored():
                self._touched.add(step)
            case PatternDeleted():
                self._touched.add(step)
            case TeamCreated():
                pass
            case _:
                assert_never(step.event)

    def added(self) -> list[Row]:
        """The names that are taken after the batch and were not before, or not by the same pattern."""
        return [row for one in self._touched if (row := _name(one, one.last.after)) and _renamed(one)]

    def freed(self) -> list[Row]:
        """The names that were taken before the batch and are not after it, or not by the same pattern."""
        return [row for one in self._touched if (row := _name(one, one.before)) and _renamed(one)]

    async def write(self, pg: Connection) -> None:
        await change(pg, _FREE, self.freed())
        await copy(pg, "names", NAMES, self.added())


def _head(one: Touched) -> Row:
    event = one.last.envelope
    return (event.team_id, event.stream, event.version, dump_state(one.last.after))


def _name(one: Touched, state: StreamState | None) -> Row | None:
    if not isinstance(state, Pattern):
        return None
    name = taken_name(state)
    return None if name is None else (one.last.envelope.team_id, name, one.last.pattern_id)


def _renamed(one: Touched) -> bool:
    return _name(one, one.before) != _name(one, one.last.after)
