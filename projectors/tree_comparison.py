"""The stored tree compared with the one that the log makes, hash by hash."""

from collections.abc import Sequence
from itertools import zip_longest

from asyncpg import Connection

from evidence.tiles import HEIGHT, WIDTH, Edges, split
from projectors.comparison import PATIENCE_S
from projectors.findings import Difference, Findings, Kind
from projectors.links import Link
from projectors.rows import Row, arrays

_TILES = """
SELECT team_id::text, level, index, hashes
  FROM tiles JOIN unnest($1::uuid[], $2::smallint[], $3::bigint[]) AS k (team_id, level, index)
       USING (team_id, level, index)
"""
_EDGES = "SELECT team_id::text, level, index, hashes FROM tree_edges WHERE team_id = ANY ($1::uuid[])"
_PLACES = """
SELECT team_id::text, level, min(index), max(index)
  FROM tiles WHERE team_id = ANY ($1::uuid[]) GROUP BY 1, 2
"""
_STRANGERS = tuple(
    (table, f"SELECT DISTINCT team_id::text FROM {table} WHERE team_id <> ALL ($1::uuid[])")  # noqa: S608
    for table in ("tiles", "tree_edges")
)


class TreeProof:
    """The trees of the teams of one partition, as far as its records make them."""

    def __init__(self, pg: Connection, findings: Findings) -> None:
        self._pg = pg
        self._findings = findings
        self._trees: dict[str, Edges] = {}
        self._complete: dict[tuple[str, int], int] = {}

    async def take(self, links: Sequence[Link]) -> None:
        """Add the leaves of the next records, and compare the tiles that they complete."""
        for link in links:
            self._trees.setdefault(link.team_id, Edges()).add(link.hashes.leaf)
        tiles: list[Row] = [
            (team_id, place.level, place.index, hashes)
            for team_id in {link.team_id for link in links}
            for place, hashes in self._trees[team_id].completed()
        ]
        if not tiles:
            return
        keys = arrays(tile[:3] for tile in tiles)
        rows = {tuple(row)[:3]: row[3] for row in await self._pg.fetch(_TILES, *keys, timeout=PATIENCE_S)}
        self._findings.saw("tiles", len(rows))
        for tile in tiles:
            self._compare("tiles", tile, rows.get(tile[:3]))

    async def compare(self, teams: Sequence[str]) -> None:
        """Compare the edges of teams whose logs could be followed, and find tiles that should not be."""
        wanted: dict[tuple[str, int], Row] = {
            (team_id, place.level): (team_id, place.level, place.index, hashes)
            for team_id in teams
            for place, hashes in self._trees[team_id].all()
        }
        missing = dict(wanted)
        edges = await self._pg.fetch(_EDGES, teams, timeout=PATIENCE_S)
        self._findings.saw("tree_edges", len(edges))
        for team_id, level, index, hashes in edges:
            edge = missing.pop((team_id, level), None)
            if edge is None:
                self._add("tree_edges", (team_id, level, index), "added")
            else:
                self._compare("tree_edges", edge, hashes if edge[2] == index else b"")
        for edge in missing.values():
            self._compare("tree_edges", edge, None)
        for team_id, level, low, high in await self._pg.fetch(_PLACES, teams, timeout=PATIENCE_S):
            complete = wanted[team_id, level][2] if (team_id, level) in wanted else 0
            if not 0 <= low <= high < complete:
                self._add("tiles", (team_id, level, high if high >= complete else low), "added")

    def _compare(self, table: str, row: Row, found: bytes | None) -> None:
        _, level, index, hashes = row
        if found == hashes:
            return
        pairs = zip_longest(split(hashes), split(found or b""))
        differing = next((at for at, (one, other) in enumerate(pairs) if one != other), 0)
        sequence = ((index * WIDTH + differing) << (HEIGHT * level)) + 1
        self._add(table, row[:3], "missing" if found is None else "altered", sequence)

    def _add(self, table: str, key: Row, kind: Kind, sequence: int | None = None) -> None:
        self._findings.add(_difference(table, key, kind, sequence))


async def find_strange_trees(pg: Connection, teams: Sequence[str], findings: Findings) -> None:
    """Find trees of teams that are not among these."""
    for table, statement in _STRANGERS:
        for row in await pg.fetch(statement, teams, timeout=PATIENCE_S):
            findings.add(_difference(table, tuple(row), "added", None))


def _difference(table: str, key: Row, kind: Kind, sequence: int | None) -> Difference:
    return Difference(table=table, key=" ".join(map(str, key)), kind=kind, team_id=key[0], sequence=sequence)
