"""Two generations of a projection compared at the same place of the log, table by table, in Postgres.

Each table is one sum of hashes of its rows, whatever their order; only of a table whose sums differ are the
rows looked at. What is compared is every column of every row, but for the checkpoints, which are equal.
"""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

from asyncpg import Connection
from sqlalchemy import Table

from events.pattern import pattern_id_of
from projectors.findings import Difference, Findings, Kind
from projectors.generations import Generation
from projectors.schema.generations import tables_of

_PATIENCE_S = 24 * 3600.0
_SUM = """
SELECT count(*), sum(hashtextextended(shown, 0)), sum(hashtextextended(shown, 1))
  FROM (SELECT ROW({columns})::text AS shown FROM {schema}.{table} AS t{where}) AS rows
"""
_ROWS = """
SELECT {key}, {sequence}, md5(ROW({columns})::text) FROM {schema}.{table} AS t{where} ORDER BY {order}
"""
_SEQUENCE = "SELECT sequence FROM {schema}.changes WHERE team_id = $1::uuid AND pattern_id = $2::uuid"
_KEPT = " WHERE recorded_at >= '{since}'"

Key = tuple[str, ...]


async def compare_generations(
    live_pg: Connection, live: Generation, other_pg: Connection, other: Generation, purged: datetime | None
) -> Findings:
    """The rows of `other` that are not those of `live`, each seen in a snapshot of its own.

    The two snapshots have the same checkpoints. `missing` is what `other` lacks. Rows that retention removes,
    from tables and topics at different moments, are compared if they were recorded after `purged`.
    """
    findings = Findings()
    for table in tables_of(live.projection):
        if table.name == "checkpoints":
            continue
        where = "" if purged is None or "recorded_at" not in table.columns else _KEPT.format(since=purged)
        sums = [
            tuple((await pg.fetch(_of(_SUM, one, table, where)))[0])
            for pg, one in ((live_pg, live), (other_pg, other))
        ]
        findings.rows[table.name] = sums[1][0]
        if sums[0] != sums[1]:
            async for key, sequence, kind in _differing(live_pg, live, other_pg, other, table, where):
                found = sequence or await _sequence_of(other_pg, other, table, key)
                findings.add(
                    Difference(
                        table=table.name,
                        key=" ".join(key),
                        kind=kind,
                        team_id=_team_of(table, key),
                        sequence=found,
                    )
                )
    return findings


def _of(statement: str, generation: Generation, table: Table, where: str, **more: str) -> str:
    # By name: a column that was added later is the last one where there were rows already.
    columns = ", ".join(f"t.{column.name}" for column in table.columns)
    return statement.format(schema=generation.schema, table=table.name, columns=columns, where=where, **more)


async def _differing(
    live_pg: Connection, live: Generation, other_pg: Connection, other: Generation, table: Table, where: str
) -> AsyncIterator[tuple[Key, int | None, Kind]]:
    """Both tables in the order of their key, side by side."""
    ours, theirs = _rows(other_pg, other, table, where), _rows(live_pg, live, table, where)
    our, their = await anext(ours, None), await anext(theirs, None)
    while our is not None or their is not None:
        if their is None or (our is not None and our[0] < their[0]):
            if our is not None:
                yield our[0], our[1], "added"
            our = await anext(ours, None)
        elif our is None or their[0] < our[0]:
            yield their[0], their[1], "missing"
            their = await anext(theirs, None)
        else:
            if our[2] != their[2]:
                yield our[0], our[1], "altered"
            our, their = await anext(ours, None), await anext(theirs, None)


async def _rows(
    pg: Connection, generation: Generation, table: Table, where: str
) -> AsyncIterator[tuple[Key, int | None, str]]:
    # As text in the order of its bytes, keys of every type are in the order in which Python has them.
    keys = [f"t.{column.name}::text" for column in table.primary_key.columns]
    has = {name for name in ("sequence", "last_sequence") if name in table.columns}
    statement = _of(
        _ROWS, generation, table, where,
        key=", ".join(keys),
        sequence=f"t.{has.pop()}" if has else "NULL::bigint",
        order=", ".join(f'{key} COLLATE "C"' for key in keys),
    )  # fmt: skip
    async for *key, sequence, digest in pg.cursor(statement, timeout=_PATIENCE_S):
        yield tuple(key), sequence, digest


async def _sequence_of(pg: Connection, generation: Generation, table: Table, key: Key) -> int | None:
    """The last event of the pattern that a row without a sequence of its own shows."""
    named: dict[str, Any] = dict(zip((column.name for column in table.primary_key.columns), key, strict=True))
    pattern_id = pattern_id_of(str(named.get("stream", "")))
    if "team_id" not in named or pattern_id is None:
        return None
    found: int | None = await pg.fetchval(
        _SEQUENCE.format(schema=generation.schema), named["team_id"], pattern_id
    )
    return found


def _team_of(table: Table, key: Key) -> str:
    """The log that a row is of, be it a team's or an organization's."""
    names = [column.name for column in table.primary_key.columns]
    found = [one for name, one in zip(names, key, strict=True) if name in ("organization_id", "team_id")]
    return found[0] if found else ""
