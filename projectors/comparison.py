"""Tables compared with the rows they should hold, one row at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from asyncpg import Connection

from events.pattern import stream_of
from projectors.chain import StreamKey, TeamLog
from projectors.checkpoints import GENERATION
from projectors.library import NAME
from projectors.rows import Row, arrays

Kind = Literal["missing", "added", "altered"]

_PATIENCE_S = 3600.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """A row that is not what the log makes of it, and the sequence of the event that it should show."""

    table: str
    key: str
    kind: Kind
    team_id: str
    sequence: int | None


@dataclass(kw_only=True, slots=True)
class Findings:
    """What was compared, and the differences: all of them counted, the first ones kept."""

    rows: dict[str, int] = field(default_factory=dict)
    difference_count: int = 0
    differences: list[Difference] = field(default_factory=list)
    keep: int = 1000

    def add(self, difference: Difference) -> None:
        """Note a difference."""
        self.difference_count += 1
        if len(self.differences) < self.keep:
            self.differences.append(difference)


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparable:
    """A table of states: how to read it, columns as in its rows, and which stream a row shows."""

    name: str
    statement: str
    id_column: int
    """The column that names the stream or the pattern; the first one is the team's."""
    sequence_column: int | None = None
    """The column that names the event which a row shows; None where that is the stream's last one."""

    def key(self, row: Row) -> Row:
        """The row's primary key."""
        return row[:2]

    def stream(self, row: Row) -> StreamKey:
        """The stream that the row shows."""
        named = row[self.id_column]
        return (row[0], named if self.name == "heads" else stream_of(named))


HEADS = Comparable(
    name="heads", statement="SELECT team_id::text, stream, version, state FROM heads", id_column=1
)
NAMES = Comparable(
    name="names", statement="SELECT team_id::text, name_key, pattern_id::text FROM names", id_column=2
)
PATTERNS = Comparable(
    name="patterns",
    statement="""
        SELECT team_id::text, pattern_id::text, version, sequence, archived, name, category, severity, tags,
               replace(facets::text, '-', '')::text[], updated_at, fields, created_at FROM patterns
    """,
    id_column=1,
)
CHANGES = Comparable(
    name="changes",
    statement="SELECT team_id::text, pattern_id::text, sequence, item FROM changes",
    id_column=1,
)
CONFLICTS = Comparable(
    name="conflicts",
    statement="""
        SELECT team_id::text, conflict_id::text, pattern_id::text, sequence, status, item, closing
          FROM conflicts
    """,
    id_column=2,
    sequence_column=3,
)

_HISTORY = """
SELECT h.team_id::text, h.pattern_id::text, h.version, h.sequence, h.item, h.latest,
       h.archived, h.name, replace(h.facets::text, '-', '')::text[]
  FROM unnest($1::uuid[], $2::uuid[], $3::bigint[]) AS k (team_id, pattern_id, version)
  JOIN history AS h ON h.team_id = k.team_id AND h.pattern_id = k.pattern_id AND h.version = k.version
"""

_VERSIONS = """
SELECT team_id::text, pattern_id::text, min(version), max(version) FROM history GROUP BY 1, 2
"""

_LOGS = """
SELECT team_id::text, last_sequence, event_count, last_hash
  FROM projected_logs WHERE projection = $1 AND generation = $2
"""


async def compare_table(
    pg: Connection,
    table: Comparable,
    expected: Sequence[Row],
    sequences: Mapping[StreamKey, int],
    findings: Findings,
) -> None:
    """Compare every row of a table of states, both ways."""
    missing = {table.key(row): row for row in expected}
    findings.rows[table.name] = 0
    async for found in pg.cursor(table.statement, timeout=_PATIENCE_S):
        row = tuple(found)
        findings.rows[table.name] += 1
        wanted = missing.pop(table.key(row), None)
        if wanted != row:
            kind: Kind = "added" if wanted is None else "altered"
            findings.add(_difference(table, wanted or row, kind, sequences))
    for row in missing.values():
        findings.add(_difference(table, row, "missing", sequences))


async def compare_history(pg: Connection, expected: Sequence[Row], findings: Findings) -> None:
    """Compare some rows of history with what they should be; rows that should not be are not looked for."""
    if not expected:
        return
    keys = arrays([row[:3] for row in expected])
    rows = {tuple(row)[:3]: tuple(row) for row in await pg.fetch(_HISTORY, *keys, timeout=_PATIENCE_S)}
    findings.rows["history"] = findings.rows.get("history", 0) + len(rows)
    for row in expected:
        found = rows.get(row[:3])
        if found != row:
            kind: Kind = "missing" if found is None else "altered"
            findings.add(_version(row[0], row[1], row[2], row[3], kind))


async def find_added_history(pg: Connection, versions: Mapping[StreamKey, int], findings: Findings) -> None:
    """Look for rows of history beyond the versions that each pattern has."""
    async for team_id, pattern_id, first, last in pg.cursor(_VERSIONS, timeout=_PATIENCE_S):
        known = versions.get((team_id, stream_of(pattern_id)), 0)
        if first < 1 or last > known:
            beyond = first if first < 1 else last
            findings.add(_version(team_id, pattern_id, beyond, None, "added"))


async def compare_logs(pg: Connection, logs: Mapping[str, TeamLog], findings: Findings) -> None:
    """Compare last sequence, count and last hash of every team's log."""
    missing = dict(logs)
    findings.rows["projected_logs"] = 0
    async for team_id, sequence, count, link in pg.cursor(_LOGS, NAME, GENERATION, timeout=_PATIENCE_S):
        findings.rows["projected_logs"] += 1
        found = TeamLog(last_sequence=sequence, event_count=count, last_hash=link)
        wanted = missing.pop(team_id, None)
        if wanted is None:
            findings.add(_log(team_id, "added", None))
        elif wanted != found:
            findings.add(_log(team_id, "altered", min(sequence, wanted.last_sequence)))
    for team_id, wanted in missing.items():
        findings.add(_log(team_id, "missing", wanted.last_sequence))


def differing_checkpoint(partition: int) -> Difference:
    """A checkpoint that the reader's rule does not come to."""
    return Difference(table="checkpoints", key=str(partition), kind="altered", team_id="", sequence=None)


def _log(team_id: str, kind: Kind, sequence: int | None) -> Difference:
    return Difference(table="projected_logs", key=team_id, kind=kind, team_id=team_id, sequence=sequence)


def _difference(table: Comparable, row: Row, kind: Kind, sequences: Mapping[StreamKey, int]) -> Difference:
    column = None if kind == "added" else table.sequence_column
    return Difference(
        table=table.name,
        key=" ".join(map(str, table.key(row))),
        kind=kind,
        team_id=row[0],
        sequence=sequences.get(table.stream(row)) if column is None else row[column],
    )


def _version(team_id: str, pattern_id: str, version: int, sequence: int | None, kind: Kind) -> Difference:
    key = f"{team_id} {pattern_id} {version}"
    return Difference(table="history", key=key, kind=kind, team_id=team_id, sequence=sequence)
