"""A tree's hashes as tiles of height 8 (C2SP tlog-tiles): what is stored of a tree that grows for ever.

The tile at (level, index) holds, from left to right, the roots of 256 perfect subtrees of height 8 * level.
A complete tile never changes; per level one is incomplete, the *edge*.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from evidence.errors import EvidenceError
from evidence.merkle import HASH_BYTES, Leaves, Subtree, hash_children, root_of

HEIGHT = 8
WIDTH = 1 << HEIGHT
TILE_BYTES = WIDTH * HASH_BYTES


class MissingHash(EvidenceError):
    """What is stored of a tree lacks a hash that it must have."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a tile stands."""

    level: int
    index: int


def places_of(parts: Iterable[Leaves]) -> set[Place]:
    """The tiles from which the roots over these leaves are computed."""
    return {_where(subtree)[0] for part in parts for subtree in part.subtrees()}


def _where(subtree: Subtree) -> tuple[Place, int, int]:
    """The tile that has a perfect subtree's hashes, and the first one and the number of them."""
    level, height = divmod(subtree.level, HEIGHT)
    index, first = divmod(subtree.index << height, WIDTH)
    return Place(level, index), first, 1 << height


class Tiles:
    """The tiles that were read; a `Tree` to prove from."""

    def __init__(self, tiles: Mapping[Place, bytes]) -> None:
        self._tiles = tiles

    def hash_of(self, subtree: Subtree) -> bytes:
        """The root of a perfect subtree; raise `MissingHash`."""
        place, first, count = _where(subtree)
        raw = self._tiles.get(place, b"")[first * HASH_BYTES : (first + count) * HASH_BYTES]
        hashes = list(split(raw))
        if len(raw) != count * HASH_BYTES:
            raise MissingHash(f"tile {place.index} of level {place.level} lacks a hash")
        return perfect_root(hashes)

    def root(self, leaves: Leaves) -> bytes:
        """The root over a range of leaves; raise `MissingHash`."""
        return root_of([self.hash_of(subtree) for subtree in leaves.subtrees()])


def split(hashes: bytes) -> Iterator[bytes]:
    """Hashes that stand one after the other; what is left of a last one is one more."""
    return (hashes[at : at + HASH_BYTES] for at in range(0, len(hashes), HASH_BYTES))


def perfect_root(hashes: list[bytes]) -> bytes:
    """The root over a power of two of hashes."""
    while len(hashes) > 1:
        hashes = [hash_children(*pair) for pair in zip(hashes[::2], hashes[1::2], strict=True)]
    return hashes[0]


class Edges:
    """The incomplete tiles of a growing tree, by level, which is all that it takes to add leaves."""

    def __init__(self, tiles: Mapping[Place, bytes] | None = None) -> None:
        self._edges = {place.level: (place.index, list(split(raw))) for place, raw in (tiles or {}).items()}
        self._changed: set[int] = set()
        self._complete: list[tuple[Place, bytes]] = []

    @property
    def size(self) -> int:
        """How many leaves the tree has."""
        index, hashes = self._edges.get(0, (0, ()))
        return index * WIDTH + len(hashes)

    def add(self, leaf: bytes) -> None:
        """Add a leaf's hash."""
        self._add(0, leaf)

    def _add(self, level: int, node: bytes) -> None:
        index, hashes = self._edges.setdefault(level, (0, []))
        hashes.append(node)
        self._changed.add(level)
        if len(hashes) == WIDTH:
            self._complete.append((Place(level, index), b"".join(hashes)))
            self._edges[level] = (index + 1, [])
            self._add(level + 1, perfect_root(hashes))

    def completed(self) -> list[tuple[Place, bytes]]:
        """The tiles that have become complete since it was asked last."""
        complete, self._complete = self._complete, []
        return complete

    def all(self) -> list[tuple[Place, bytes]]:
        """Every edge."""
        return [(Place(level, index), b"".join(hashes)) for level, (index, hashes) in self._edges.items()]

    def changed(self) -> list[tuple[Place, bytes]]:
        """The edges that leaves were added to."""
        return [one for one in self.all() if one[0].level in self._changed]
