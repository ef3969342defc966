"""The library as its user sees it: the confirmed state under the pending commands."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from events.json_text import Json, parse
from events.pattern import name_key

_VISIBLE = """
SELECT pattern_id, version, status, name, fields, 1 AS edited FROM overlay WHERE status = ?1
UNION ALL
SELECT pattern_id, version, status, name, fields, 0 AS edited FROM patterns
WHERE status = ?1
  AND NOT EXISTS (SELECT 1 FROM overlay WHERE overlay.pattern_id = patterns.pattern_id)
ORDER BY name, pattern_id
"""

_BY_NAME = """
SELECT pattern_id, version, status, name, fields, 1 FROM overlay WHERE status = 'live' AND name_key = ?1
UNION ALL
SELECT pattern_id, version, status, name, fields, 0 FROM patterns
WHERE status = 'live' AND name_key = ?1
  AND NOT EXISTS (SELECT 1 FROM overlay WHERE overlay.pattern_id = patterns.pattern_id)
LIMIT 1
"""

_BY_ID = """
SELECT pattern_id, version, status, name, fields, 1 AS edited FROM overlay WHERE pattern_id = ?1
UNION ALL
SELECT pattern_id, version, status, name, fields, 0 AS edited FROM patterns WHERE pattern_id = ?1
ORDER BY edited DESC LIMIT 1
"""

_COUNTS = """
SELECT status, count(*) FROM (
    SELECT status FROM overlay
    UNION ALL
    SELECT status FROM patterns
    WHERE NOT EXISTS (SELECT 1 FROM overlay WHERE overlay.pattern_id = patterns.pattern_id)
) GROUP BY status
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class VisiblePattern:
    """A pattern with its local edits; `edited` when some are not confirmed yet."""

    pattern_id: str
    version: int
    status: Literal["live", "archived"]
    name: str
    fields_text: str
    edited: bool

    @property
    def fields(self) -> dict[str, Json]:
        """The pattern's fields, parsed."""
        fields: dict[str, Json] = parse(self.fields_text.encode(), max_depth=64)
        return fields


class Library:
    """Reading what is there. Every pattern is read once, none is kept in memory."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def patterns(self, status: Literal["live", "archived"] = "live") -> Iterator[VisiblePattern]:
        """Patterns by name, one at a time."""
        for row in self._connection.execute(_VISIBLE, (status,)):
            yield _visible(row)

    def by_name(self, name: str) -> VisiblePattern | None:
        """The live pattern of this name."""
        row = self._connection.execute(_BY_NAME, (name_key(name),)).fetchone()
        return None if row is None else _visible(row)

    def by_id(self, pattern_id: str) -> VisiblePattern | None:
        """The pattern of this id, unless it is deleted."""
        row = self._connection.execute(_BY_ID, (pattern_id,)).fetchone()
        return None if row is None or row[2] == "deleted" else _visible(row)

    def find(self, name_or_id: str) -> VisiblePattern | None:
        """A live pattern by name, or any pattern by id or by the name it had when it was archived."""
        return (
            self.by_name(name_or_id)
            or self.by_id(name_or_id)
            or next((found for found in self.patterns("archived") if found.name == name_or_id), None)
        )

    def counts(self) -> dict[str, int]:
        """How many patterns are live, archived and deleted."""
        counted = dict(self._connection.execute(_COUNTS).fetchall())
        return {status: counted.get(status, 0) for status in ("live", "archived", "deleted")}


def _visible(row: tuple[str, int, Literal["live", "archived"], str, str, int]) -> VisiblePattern:
    pattern_id, version, status, name, fields, edited = row
    return VisiblePattern(
        pattern_id=pattern_id,
        version=version,
        status=status,
        name=name,
        fields_text=fields,
        edited=bool(edited),
    )
