"""The tables of `library`, for proofs and repairs: one entry each, the rest is read from the schema."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, partial
from operator import itemgetter
from typing import Any, Protocol, runtime_checkable

from sqlalchemy import ARRAY, Column, Table
from sqlalchemy.dialects import postgresql

from events.organization import STREAM as ORGANIZATION_STREAM
from events.pattern import stream_of
from events.team import STREAM as TEAM_STREAM
from projectors.audit import AUDIT, Audit
from projectors.changes import CHANGES, Changes
from projectors.conflicts import CONFLICTS, Conflicts
from projectors.heads import HEADS, NAMES, Heads, Names
from projectors.history import HISTORY, History
from projectors.patterns import PATTERNS, Patterns
from projectors.people import OF_BOTH, OF_ORGANIZATIONS, OF_TEAMS
from projectors.read_model import ReadModel
from projectors.rows import Row
from projectors.schema import audit, library
from projectors.state_rows import StateRows, StateTable

_DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]


class Foldable(ReadModel, Protocol):
    """A read model that tells its rows: of the whole log, if it has taken all of it."""

    def added(self) -> list[Row]:
        """Its rows; of one that only ever adds rows, those since the last call."""


@runtime_checkable
class Onlooker(Protocol):
    """A read model whose rows also depend on events of other streams."""

    def pass_over(self, team_id: str, stream: str, recorded_at: datetime) -> None:
        """Hear of an event of a stream whose rows are not wanted."""


@dataclass(frozen=True, kw_only=True)
class Comparable:
    """A table, and the columns by which its rows are compared, in the order of a model's rows.

    `of`: the one stream that its rows are of, where they do not say.
    """

    table: Table
    columns: Sequence[str]
    of: str | None = None

    @property
    def name(self) -> str:
        """The table's name."""
        return self.table.name

    @cached_property
    def key_of(self) -> Callable[[Row], Row]:
        """A row's primary key: the log's id comes first."""
        places = self.places([column.name for column in self.table.primary_key])
        if len(places) == 1:
            return lambda row: (row[places[0]],)
        return itemgetter(*places)

    @property
    def log(self) -> str:
        """The column of the log's id: the first one of the primary key."""
        return next(iter(self.table.primary_key)).name

    @property
    def selected(self) -> str:
        """The columns, as the rows of models have them."""
        return ", ".join(_as_in_rows(self.table.columns[name]) for name in self.columns)

    @property
    def stream(self) -> str:
        """The stream that a row is of, in SQL; where there is none, the command that it answers."""
        if self.of is not None:
            return f"'{self.of}'"
        if "stream" in self.columns:
            return "stream"
        if "pattern_id" in self.columns:
            return f"'{stream_of('')}' || pattern_id::text"
        return "command_id::text"

    def places(self, names: Sequence[str]) -> list[int]:
        """Where columns stand in a row."""
        return [self.columns.index(name) for name in names]

    def stream_of(self, row: Row) -> str:
        """The same of a row that is at hand."""
        if self.of is not None:
            return self.of
        for name in ("stream", "command_id"):
            if name in self.columns:
                return str(row[self.columns.index(name)])
        return stream_of(row[self.columns.index("pattern_id")])

    def sequence_of(self, row: Row) -> int | None:
        """The sequence of the event that a row shows; None where its stream's last one is meant."""
        return row[self.columns.index("sequence")] if "sequence" in self.columns else None

    def unique(self) -> list[list[str]]:
        """The columns of the primary key and of every other unique index."""
        keys = [[column.name for column in self.table.primary_key]]
        return keys + [[column.name for column in one.columns] for one in self.table.indexes if one.unique]

    def unnested(self, names: Sequence[str], first: int = 1) -> str:
        """Parameters from `first` on as rows of some columns."""
        types = [_type_of(self.table.columns[name]) for name in names]
        arrays = (f"${number}::{kind}[]" for number, kind in enumerate(types, first))
        return f"unnest({', '.join(arrays)}) AS k ({', '.join(names)})"


@dataclass(frozen=True, kw_only=True)
class Proven(Comparable):
    """A table of `library`, and the read model that makes its rows.

    `appended`: it has a row per event that never changes. Such rows are compared on the way, and not kept.
    """

    make: Callable[[], Foldable]
    appended: bool = False


def _as_in_rows(column: Column[Any]) -> str:
    """Ids are text in the rows of models, and those of facets have no dashes."""
    match column.type:
        case postgresql.UUID():
            return f"{column.name}::text"
        case ARRAY(item_type=postgresql.UUID()):
            return f"replace({column.name}::text, '-', '')::text[]"
        case _:
            return column.name


def _type_of(column: Column[Any]) -> str:
    """Its type without a collation, which stands behind the brackets of an array."""
    return column.type.compile(_DIALECT).partition(" COLLATE ")[0]


def _proven(table: StateTable, of: str | None) -> Proven:
    return Proven(table=table.table, columns=table.columns, make=partial(StateRows, table), of=of)


PROVEN = (
    Proven(table=library.heads, columns=HEADS, make=Heads),
    Proven(table=library.names, columns=NAMES, make=Names),
    Proven(table=library.patterns, columns=PATTERNS, make=Patterns),
    Proven(table=library.changes, columns=CHANGES, make=Changes),
    Proven(table=library.history, columns=HISTORY, make=History, appended=True),
    Proven(table=audit.audit, columns=AUDIT, make=Audit, appended=True),
    Proven(table=library.conflicts, columns=CONFLICTS, make=Conflicts),
    *(_proven(table, TEAM_STREAM) for table in OF_TEAMS),
    *(_proven(table, ORGANIZATION_STREAM) for table in OF_ORGANIZATIONS),
    *(_proven(table, None) for table in OF_BOTH),
)
"""In the order in which their rows can be written."""
