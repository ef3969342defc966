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


@dataclass(frozen=True, kw_only=True, slots=True)
class Growing:
    """A table whose rows are only ever added: how to read some by their keys."""

    name: str
    key_width: int
    sequence_column: int
    statement: str


HISTORY = Growing(
    name="history",
    key_width=3,
    sequence_column=3,
    statement="""
        SELECT h.team_id::text, h.pattern_id::text, h.version, h.sequence, h.item, h.latest,
               h.archived, h.name, replace(h.facets::text, '-', '')::text[]
          FROM unnest($1::uuid[], $2::uuid[], $3::bigint[]) AS k (team_id, pattern_id, version)
          JOIN history AS h ON h.team_id = k.team_id AND h.pattern_id = k.pattern_id AND h.version = k.version
    """,
)
AUDIT = Growing(
    name="audit",
    key_width=2,
    sequence_column=1,
    statement="""
        SELECT a.team_id::text, a.sequence, latest, log_id::text, stream, version, type, command_id::text,
               command_hash, command_index, command_count, actor, request_id, occurred_at, recorded_at,
               previous_hash, data, before
          FROM unnest($1::uuid[], $2::bigint[]) AS k (team_id, sequence)
          JOIN audit AS a ON a.team_id = k.team_id AND a.sequence = k.sequence
    """,
)

_VERSIONS = """
SELECT team_id::text, pattern_id::text, min(version), max(version) FROM history GROUP BY 1, 2
"""

_SEQUENCES = "SELECT team_id::text, min(sequence), max(sequence) FROM audit GROUP BY 1"

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


async def compare_growing(
    pg: Connection, table: Growing, expected: Sequence[Row], findings: Findings
) -> None:
    """Compare some rows with what they should be; rows that should not be are not looked for."""
    if not expected:
        return
    width = table.key_width
    keys = arrays([row[:width] for row in expected])
    found = await pg.fetch(table.statement, *keys, timeout=_PATIENCE_S)
    rows = {tuple(row)[:width]: tuple(row) for row in found}
    findings.rows[table.name] = findings.rows.get(table.name, 0) + len(rows)
    for row in expected:
        there = rows.get(row[:width])
        if there != row:
            kind: Kind = "missing" if there is None else "altered"
            findings.add(_grown(table, row[:width], row[table.sequence_column], kind))


async def find_added_history(pg: Connection, versions: Mapping[StreamKey, int], findings: Findings) -> None:
    """Look for rows of history beyond the versions that each pattern has."""
    async for team_id, pattern_id, first, last in pg.cursor(_VERSIONS, timeout=_PATIENCE_S):
        known = versions.get((team_id, stream_of(pattern_id)), 0)
        if first < 1 or last > known:
            beyond = first if first < 1 else last
            findings.add(_grown(HISTORY, (team_id, pattern_id, beyond), None, "added"))


async def find_added_audit(pg: Connection, logs: Mapping[str, TeamLog], findings: Findings) -> None:
    """Look for rows of the audit beyond the events that each team's log has."""
    async for team_id, first, last in pg.cursor(_SEQUENCES, timeout=_PATIENCE_S):
        known = logs[team_id].last_sequence if team_id in logs else 0
        if first < 1 or last > known:
            findings.add(_grown(AUDIT, (team_id, first if first < 1 else last), None, "added"))


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


def _grown(table: Growing, key: Row, sequence: int | None, kind: Kind) -> Difference:
    named = " ".join(map(str, key))
    return Difference(table=table.name, key=named, kind=kind, team_id=key[0], sequence=sequence)
