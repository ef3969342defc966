"""The Merkle tree of RFC 9162, section 2.1, over SHA-256: hashing, proofs, and checking them.

Leaves count from 0, so the event of sequence n is leaf n - 1. Every inner hash that a proof needs is the
root of a range of leaves that a few *perfect subtrees* make up; those never change once their leaves are
there, so whoever keeps them can prove anything about any size of the tree.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Protocol

HASH_BYTES = 32
EMPTY_ROOT = sha256(b"").digest()


def hash_leaf(entry: bytes) -> bytes:
    """The hash of a leaf: of what the log holds there, with a prefix that no inner node has."""
    return sha256(b"\x00" + entry).digest()


def hash_children(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node."""
    return sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True, slots=True)
class Subtree:
    """A perfect subtree: the 2^level leaves from index * 2^level on."""

    level: int
    index: int


@dataclass(frozen=True, slots=True)
class Leaves:
    """The leaves from `begin` up to, not including, `end`."""

    begin: int
    end: int

    def subtrees(self) -> Iterator[Subtree]:
        """The fewest perfect subtrees that make it up, from left to right."""
        begin = self.begin
        while begin < self.end:
            level = (self.end - begin).bit_length() - 1
            if begin:
                level = min(level, (begin & -begin).bit_length() - 1)
            yield Subtree(level, begin >> level)
            begin += 1 << level


class Frontier:
    """The perfect subtrees of a growing tree: enough for its root, and to add leaves."""

    def __init__(self, size: int = 0, hashes: Sequence[bytes] = ()) -> None:
        if size < 0 or len(hashes) != size.bit_count():
            raise ValueError(f"a tree of {size} leaves does not have {len(hashes)} perfect subtrees")
        self.size = size
        self._hashes = list(hashes)

    @property
    def hashes(self) -> tuple[bytes, ...]:
        """The roots of the perfect subtrees, from left to right, which is from the largest on."""
        return tuple(self._hashes)

    def add(self, leaf: bytes) -> None:
        """Add a leaf's hash."""
        node, left = leaf, self.size
        while left & 1:
            node = hash_children(self._hashes.pop(), node)
            left >>= 1
        self._hashes.append(node)
        self.size += 1

    def root(self) -> bytes:
        """The root of the tree."""
        return root_of(self._hashes)


def root_of(hashes: Sequence[bytes]) -> bytes:
    """The root over the roots of perfect subtrees, from left to right and ever smaller."""
    if not hashes:
        return EMPTY_ROOT
    root = hashes[-1]
    for left in reversed(hashes[:-1]):
        root = hash_children(left, root)
    return root


class Tree(Protocol):
    """What keeps the hashes of perfect subtrees."""

    def hash_of(self, subtree: Subtree) -> bytes:
        """The root of a perfect subtree."""


def prove(tree: Tree, parts: Sequence[Leaves]) -> list[bytes]:
    """The hashes of a proof, from its parts."""
    return [root_of([tree.hash_of(subtree) for subtree in part.subtrees()]) for part in parts]


def inclusion_parts(index: int, size: int) -> list[Leaves]:
    """What proves that a leaf is in the tree of a size, from the leaf up: `PATH` of section 2.1.3.1."""
    if not 0 <= index < size:
        raise ValueError(f"leaf {index} is not in a tree of {size}")
    parts = []
    begin, end = 0, size
    while end - begin > 1:
        middle = begin + _split(end - begin)
        if index < middle:
            parts.append(Leaves(middle, end))
            end = middle
        else:
            parts.append(Leaves(begin, middle))
            begin = middle
    return parts[::-1]


def consistency_parts(old: int, new: int) -> list[Leaves]:
    """What proves that the tree of size `new` begins with that of size `old`: `PROOF` of section 2.1.4.1."""
    if not 0 <= old <= new:
        raise ValueError(f"a tree of {new} does not follow one of {old}")
    if old in (0, new):
        return []
    parts = []
    begin, end = 0, new
    while end != old:
        middle = begin + _split(end - begin)
        if old <= middle:
            parts.append(Leaves(middle, end))
            end = middle
        else:
            parts.append(Leaves(begin, middle))
            begin = middle
    if begin:
        parts.append(Leaves(begin, end))
    return parts[::-1]


def _split(size: int) -> int:
    """The largest power of two below a size of at least 2."""
    return 1 << ((size - 1).bit_length() - 1)


def includes(*, leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Whether a path proves that the tree holds a leaf's hash at an index: section 2.1.3.2."""
    if not 0 <= index < size:
        return False
    position, last, node = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            return False
        if position & 1 or position == last:
            node = hash_children(sibling, node)
            while position and not position & 1:
                position >>= 1
                last >>= 1
        else:
            node = hash_children(node, sibling)
        position >>= 1
        last >>= 1
    return last == 0 and node == root


def is_consistent(*, old: int, new: int, old_root: bytes, new_root: bytes, path: Sequence[bytes]) -> bool:
    """Whether a path proves that the new tree begins with the old one: section 2.1.4.2.

    The empty tree begins every tree, and needs no proof.
    """
    if not 0 <= old <= new:
        return False
    if old in (0, new):
        return not path and old_root == (EMPTY_ROOT if old == 0 else new_root)
    hashes = list(path) if old & (old - 1) else [old_root, *path]
    if not hashes:
        return False
    position, last = old - 1, new - 1
    while position & 1:
        position >>= 1
        last >>= 1
    before = after = hashes[0]
    for sibling in hashes[1:]:
        if last == 0:
            return False
        if position & 1 or position == last:
            before, after = hash_children(sibling, before), hash_children(sibling, after)
            while position and not position & 1:
                position >>= 1
                last >>= 1
        else:
            after = hash_children(after, sibling)
        position >>= 1
        last >>= 1
    return last == 0 and before == old_root and after == new_root
