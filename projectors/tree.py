"""The tree: the Merkle tree over each team's log, as tiles that never change and the edges that grow."""

from collections.abc import Collection, Sequence
from itertools import groupby

from asyncpg import Connection

from evidence.tiles import Edges, Place
from projectors.chain import Step
from projectors.errors import Disagreement
from projectors.rows import Row, add, arrays

TILES = ("team_id", "level", "index", "hashes")

_LOAD = """
SELECT team_id::text, level, index, hashes
  FROM tree_edges WHERE team_id = ANY ($1::uuid[]) ORDER BY tree_edges.team_id
"""

_SAVE = """
INSERT INTO tree_edges AS e (team_id, level, index, hashes)
SELECT * FROM unnest($1::uuid[], $2::smallint[], $3::bigint[], $4::bytea[])
ON CONFLICT (team_id, level) DO UPDATE SET index = excluded.index, hashes = excluded.hashes
"""


class Tree:
    """One leaf per event: leaf n - 1 is the event of sequence n."""

    def __init__(self) -> None:
        self._edges: dict[str, Edges] = {}
        self._leaves: list[Step] = []

    def apply(self, step: Step) -> None:
        self._leaves.append(step)

    def added(self) -> list[Row]:
        """The tiles that have become complete; the edges go on."""
        self._grow()
        return [
            (team_id, place.level, place.index, hashes)
            for team_id, edges in self._edges.items()
            for place, hashes in edges.completed()
        ]

    def edges(self) -> list[Row]:
        """The edges that have changed since they were loaded."""
        return [
            (team_id, place.level, place.index, hashes)
            for team_id, edges in self._edges.items()
            for place, hashes in edges.changed()
        ]

    async def write(self, pg: Connection) -> None:
        if not self._leaves:
            return
        self._edges = await load_edges(pg, {step.envelope.team_id for step in self._leaves})
        await save_tree(pg, self.added(), self.edges())

    def _grow(self) -> None:
        for step in self._leaves:
            event = step.envelope
            edges = self._edges.setdefault(event.team_id, Edges())
            if edges.size != event.sequence - 1:
                raise Disagreement(
                    f"the tree of {event.team_id} has {edges.size} leaves, not {event.sequence - 1}"
                )
            edges.add(step.leaf)
        self._leaves = []


async def save_tree(pg: Connection, tiles: Sequence[Row], edges: Sequence[Row]) -> None:
    """Add tiles that have become complete, and write edges that have changed."""
    await add(pg, "tiles", TILES, tiles)
    await pg.execute(_SAVE, *arrays(edges))


async def load_edges(pg: Connection, teams: Collection[str]) -> dict[str, Edges]:
    """The edges of those teams that have a tree."""
    rows = await pg.fetch(_LOAD, list(teams))
    return {
        team_id: Edges({Place(level, index): hashes for _, level, index, hashes in found})
        for team_id, found in groupby(rows, key=lambda row: str(row[0]))
    }
