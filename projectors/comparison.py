"""Tables compared with the rows they should hold, one row at a time."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from asyncpg import Connection

from projectors.chain import StreamKey, TeamLog
from projectors.findings import Difference, Findings, Kind
from projectors.library import NAME
from projectors.proven import Comparable, Proven
from projectors.rows import Row, arrays
from projectors.sample import Sample

PATIENCE_S = 3600.0
_ROWS = 1_000

_LOGS = """
SELECT team_id::text, partition, last_sequence, event_count, last_hash
  FROM projected_logs WHERE projection = $1
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Scope:
    """Which rows are looked at: those of some teams, or of all others, and of a sample of their streams."""

    teams: Sequence[str]
    others: bool = False
    sample: Sample | None = None

    def where(self, table: Proven) -> tuple[str, list[object]]:
        """The condition, and its arguments."""
        these = "<> ALL" if self.others else "= ANY"
        teams = f"{table.log} {these} ($1::uuid[])"
        if self.sample is None:
            return teams, [self.teams]
        sampled, arguments = self.sample.condition(table.stream, 2, table.log)
        return f"{teams} AND {sampled}", [self.teams, *arguments]


async def compare_states(
    pg: Connection,
    table: Proven,
    scope: Scope,
    expected: Iterable[Row],
    sequences: Mapping[StreamKey, int],
    findings: Findings,
) -> None:
    """Compare every row of a table that is made at the end, both ways."""
    missing: dict[Row, Row] = {}
    for row in expected:
        if missing.setdefault(table.key_of(row), row) is not row:
            findings.add(_difference(table, row, "missing", sequences))
    where, arguments = scope.where(table)
    statement = f"SELECT {table.selected} FROM {table.name} WHERE {where}"  # noqa: S608 - our constants
    seen = 0
    async for found in pg.cursor(statement, *arguments, prefetch=_ROWS, timeout=PATIENCE_S):
        seen += 1
        row = tuple(found)
        wanted = missing.pop(table.key_of(row), None)
        if wanted != row:
            kind: Kind = "added" if wanted is None else "altered"
            findings.add(_difference(table, wanted or row, kind, sequences))
    for row in missing.values():
        findings.add(_difference(table, row, "missing", sequences))
    findings.saw(table.name, seen)


class AppendedRows:
    """A table with a row per event: what is found on the way, and then what should not be there."""

    def __init__(self, pg: Connection, table: Proven, findings: Findings) -> None:
        self._pg = pg
        self._table = table
        self._findings = findings
        self._found: Counter[StreamKey] = Counter()

    async def compare(self, expected: Sequence[Row]) -> None:
        """Compare some of its rows with what they should be."""
        rows = await rows_at(self._pg, self._table, [self._table.key_of(row) for row in expected])
        for row in expected:
            found = rows.get(self._table.key_of(row))
            if found is not None:
                self._found[row[0], self._table.stream_of(found)] += 1
            if found != row:
                kind: Kind = "missing" if found is None else "altered"
                self._findings.add(_difference(self._table, row, kind, {}))
        self._findings.saw(self._table.name, len(rows))

    async def find_added(self, scope: Scope) -> None:
        """Count the rows of each stream: those beyond the ones that were found are too many."""
        where, arguments = scope.where(self._table)
        statement = (
            f"SELECT {self._table.log}::text, {self._table.stream}, count(*)"  # noqa: S608 - our constants
            f"  FROM {self._table.name} WHERE {where} GROUP BY 1, 2"
        )
        async for team_id, stream, count in self._pg.cursor(
            statement, *arguments, prefetch=_ROWS, timeout=PATIENCE_S
        ):
            more = count - self._found[team_id, stream]
            if more:
                self._findings.add(
                    Difference(
                        table=self._table.name,
                        key=f"{team_id} {stream}, {more} too many",
                        kind="added",
                        team_id=team_id,
                        stream=stream,
                    )
                )


async def rows_at(pg: Connection, table: Comparable, keys: Sequence[Row]) -> dict[Row, Row]:
    """The rows under some primary keys."""
    if not keys:
        return {}
    names = [column.name for column in table.table.primary_key]
    on = " AND ".join(f"t.{name} = k.{name}" for name in names)
    statement = (
        f"SELECT {table.selected} FROM (SELECT t.* FROM {table.unnested(names)}"  # noqa: S608 - our constants
        f"  JOIN {table.name} AS t ON {on}) AS found"
    )
    found = [tuple(row) for row in await pg.fetch(statement, *arrays(keys), timeout=PATIENCE_S)]
    return {table.key_of(row): row for row in found}


async def load_all_logs(pg: Connection) -> dict[str, tuple[int, TeamLog]]:
    """Where every team lives and how far its log was applied, as the projector wrote it."""
    rows = await pg.fetch(_LOGS, NAME, timeout=PATIENCE_S)
    return {
        team_id: (there, TeamLog(last_sequence=sequence, event_count=count, last_hash=link))
        for team_id, there, sequence, count, link in rows
    }


def compare_logs(
    wanted: Mapping[str, tuple[int, TeamLog]], found: Mapping[str, tuple[int, TeamLog]], findings: Findings
) -> None:
    """Compare partition, last sequence, count and last hash of every team's log."""
    findings.saw("projected_logs", len(found))
    for team_id in sorted({*wanted, *found}):
        ours, theirs = wanted.get(team_id), found.get(team_id)
        if ours is None:
            findings.add(_log(team_id, "added", 1))
        elif theirs is None:
            findings.add(_log(team_id, "missing", 1))
        elif ours != theirs:
            findings.add(_log(team_id, "altered", _first_bad(ours[1], theirs[1])))


def _first_bad(one: TeamLog, other: TeamLog) -> int:
    if one.last_sequence != other.last_sequence:
        return min(one.last_sequence, other.last_sequence) + 1
    return one.last_sequence


def _log(team_id: str, kind: Kind, sequence: int) -> Difference:
    return Difference(table="projected_logs", key=team_id, kind=kind, team_id=team_id, sequence=sequence)


def _difference(table: Proven, row: Row, kind: Kind, sequences: Mapping[StreamKey, int]) -> Difference:
    stream = table.stream_of(row)
    shown = None if kind == "added" else table.sequence_of(row)
    return Difference(
        table=table.name,
        key=" ".join(map(str, table.key_of(row))),
        kind=kind,
        team_id=row[0],
        stream=stream,
        sequence=sequences.get((row[0], stream)) if shown is None else shown,
    )
