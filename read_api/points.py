"""Points of a team's log that reads go back to: how they are named, and what was current at one.

What is at or before a point never changes, so a point that was found by one statement is good for the next.
"""

from datetime import datetime

from events.cursor import Cursor
from events.shapes import is_time
from read_api.positions import LOG
from read_api.problems import invalid_parameter

# `latest` never goes back along a log: the point is just before the first row that is later than the time.
_AT = """
SELECT log.*, coalesce((SELECT sequence - 1 FROM history WHERE team_id = $1 AND latest > $2
                         ORDER BY latest, sequence LIMIT 1), last_sequence) AS sequence
  FROM ({log} AND team_id = $1) AS log
"""
AT = _AT.format(log=LOG)

VERSION_AT = """
(SELECT max(version) FROM history AS past
  WHERE past.team_id = $1 AND past.pattern_id = {pattern_id} AND past.sequence <= {point})
"""
"""The version that a pattern had at a point; NULL: it was not there yet."""

CURRENT = """
sequence <= {point}
AND NOT EXISTS (SELECT FROM history AS next
                 WHERE next.team_id = $1 AND next.pattern_id = history.pattern_id
                   AND next.version = history.version + 1 AND next.sequence <= {point})
"""
"""Whether a row of `history` was its pattern's last one at a point."""


def is_named_by_time(text: str) -> bool:
    """Whether the text means a time; a cursor never begins with a digit."""
    return text[:1].isdigit()


def read_time(name: str, text: str) -> datetime:
    """The time that a parameter names; raise `Problem` 400 `invalid_parameter`."""
    if not is_time(text):
        what = "a cursor, or a time such as 2026-03-03T00:00:00Z (RFC 3339; the + of an offset is %2B)"
        raise invalid_parameter(name, f"must be {what}")
    return datetime.fromisoformat(text)


def sequences(point: Cursor | None) -> list[int]:
    """What a statement of the past is told of its point; nothing for one of the present."""
    return [] if point is None else [point.sequence]
