"""What the tables say of the logs that have grown since their last head, and of their trees."""

from collections.abc import Sequence
from dataclasses import dataclass

from asyncpg import Connection

from evidence.merkle import EMPTY_ROOT, Leaves, consistency_parts, prove
from evidence.tiles import Place, Tiles, places_of
from projectors.library import NAME
from projectors.schema.tree import TILES

_GROWN = """
SELECT p.team_id::text, p.log_id::text, p.last_sequence, h.size, h.root, h.time_s, h.note
  FROM projected_logs AS p
  LEFT JOIN LATERAL (SELECT size, root, time_s, note FROM tree_heads AS h
                      WHERE h.team_id = p.team_id AND h.log_id = p.log_id
                      ORDER BY size DESC LIMIT 1) AS h ON true
 WHERE p.projection = $1 AND p.last_sequence > coalesce(h.size, 0)
   AND NOT EXISTS (SELECT FROM tree_alarms AS a WHERE a.team_id = p.team_id AND a.log_id = p.log_id)
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Grown:
    """A log whose tree is larger than that of its last head (`size` 0: it has none)."""

    team_id: str
    log_id: str
    tree_size: int
    size: int = 0
    root: bytes = EMPTY_ROOT
    time_s: int = 0
    note: str = ""


async def grown_logs(pg: Connection) -> list[Grown]:
    """Those logs, but not the ones with an alarm."""
    return [
        Grown(team_id=team, log_id=log, tree_size=tree)
        if size is None
        else Grown(team_id=team, log_id=log, tree_size=tree, size=size, root=root, time_s=time_s, note=note)
        for team, log, tree, size, root, time_s, note in await pg.fetch(_GROWN, NAME)
    ]


async def load_tiles(pg: Connection, team_id: str, parts: Sequence[Leaves]) -> Tiles:
    """The tiles that the roots over these leaves are computed from, as far as they are there."""
    places = places_of(parts)
    levels, indexes = [place.level for place in places], [place.index for place in places]
    rows = await pg.fetch(TILES, team_id, levels, indexes)
    return Tiles({Place(level, index): hashes for level, index, hashes in rows})


async def root_and_proof(pg: Connection, team_id: str, old: int, new: int) -> tuple[bytes, list[bytes]]:
    """The root at size `new`, and what proves that it begins with size `old`; raise `MissingHash`."""
    parts, whole = consistency_parts(old, new), Leaves(0, new)
    tiles = await load_tiles(pg, team_id, [*parts, whole])
    return tiles.root(whole), prove(tiles, parts)
