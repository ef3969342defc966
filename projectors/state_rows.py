"""Read models whose rows are a function of a stream's state: what a step changes is what differs after it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from asyncpg import Connection
from sqlalchemy import Table
from sqlalchemy.dialects import postgresql

from events.pattern import PatternEvent
from events.stream import StreamState
from projectors.chain import Step
from projectors.rows import Row, add, must_find

_DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]

RowsOf = Callable[[StreamState | None], Mapping[Row, Row]]
"""The rows of a state: keys without the log's id, and values; none of a state that it is not for."""


@dataclass(frozen=True, kw_only=True)
class StateTable:
    """A table, and what its rows are; its first column is the log's id, its last two `sequence`, `since`."""

    table: Table
    rows: RowsOf

    @property
    def columns(self) -> tuple[str, ...]:
        """Its columns, as the rows have them: the keys come first."""
        return tuple(column.name for column in self.table.columns)

    @cached_property
    def removal(self) -> str:
        """The statement that removes rows by their keys, and tells each one's key and `since`."""
        keys = list(self.table.primary_key.columns)
        types = [key.type.compile(_DIALECT).partition(" COLLATE ") for key in keys]
        names = ", ".join(key.name for key in keys)
        given = ", ".join(f"${number}::{kind[0]}[]" for number, kind in enumerate(types, 1))
        same = " AND ".join(
            f"t.{key.name} = u.{key.name}{''.join(kind[1:])}" for key, kind in zip(keys, types, strict=True)
        )
        told = ", ".join(f"t.{key.name}::text" for key in keys)
        return (
            f"DELETE FROM {self.table.name} AS t USING unnest({given}) AS u ({names})"  # noqa: S608 - our names
            f" WHERE {same} RETURNING {told}, t.since"
        )


@dataclass(slots=True)
class _Change:
    """What became of a row; `since` is known of one that began in this batch."""

    was_there: bool
    values: Row | None = None
    sequence: int = 0
    since: datetime | None = None


class StateRows:
    """The rows of one table. A new event type needs nothing here: states say what it does."""

    def __init__(self, table: StateTable) -> None:
        self._table = table
        self._changes: dict[Row, _Change] = {}

    def apply(self, step: Step) -> None:
        if isinstance(step.event, PatternEvent):
            return
        before, after = self._table.rows(step.before), self._table.rows(step.after)
        for key in {**before, **after}:
            old, new = before.get(key), after.get(key)
            if old == new:
                continue
            change = self._changes.setdefault((step.team_id, *key), _Change(was_there=old is not None))
            change.values, change.sequence = new, step.envelope.sequence
            if old is None:
                change.since = step.recorded_at

    def added(self) -> list[Row]:
        """The rows that began in this batch, as they are after it."""
        return self._rows({})

    async def write(self, pg: Connection) -> None:
        old = [key for key, change in self._changes.items() if change.was_there]
        found = await must_find(pg, self._table.removal, old)
        kept = {row[:-1]: row[-1] for row in found}
        await add(pg, self._table.table.name, self._table.columns, self._rows(kept))

    def _rows(self, kept: Mapping[Row, datetime]) -> list[Row]:
        return [
            (*key, *change.values, change.sequence, since)
            for key, change in self._changes.items()
            if change.values is not None and (since := change.since or kept.get(key)) is not None
        ]
