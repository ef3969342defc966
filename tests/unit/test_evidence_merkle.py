import hashlib
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.merkle import (
    EMPTY_ROOT,
    Frontier,
    Leaves,
    Subtree,
    consistency_parts,
    hash_children,
    hash_leaf,
    includes,
    inclusion_parts,
    is_consistent,
    prove,
    root_of,
)

# The entries and roots with which implementations of RFC 6962 and 9162 are checked.
ENTRIES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
MOST = 70


def leaves(count: int) -> list[bytes]:
    return [hash_leaf(b"%d" % index) for index in range(count)]


def defined_root(hashes: list[bytes]) -> bytes:
    """The definition in section 2.1.1, taken at its word."""
    if len(hashes) < 2:
        return hashes[0] if hashes else hashlib.sha256().digest()
    split = 1
    while split * 2 < len(hashes):
        split *= 2
    return hash_children(defined_root(hashes[:split]), defined_root(hashes[split:]))


class WholeTree:
    def __init__(self, hashes: list[bytes]) -> None:
        self.hashes = hashes

    def hash_of(self, subtree: Subtree) -> bytes:
        first = subtree.index << subtree.level
        part = self.hashes[first : first + (1 << subtree.level)]
        assert len(part) == 1 << subtree.level
        return defined_root(part)


TREE = WholeTree(leaves(MOST))
TREE_ROOTS = [defined_root(TREE.hashes[:size]) for size in range(MOST)]


@pytest.mark.parametrize("size", range(len(ROOTS)))
def test_roots_are_the_published_ones(size: int) -> None:
    frontier = Frontier()
    for entry in ENTRIES[:size]:
        frontier.add(hash_leaf(entry))
    assert frontier.root().hex() == ROOTS[size]


def test_a_frontier_goes_on_from_what_it_kept() -> None:
    hashes = leaves(MOST)
    whole = Frontier()
    for size, leaf in enumerate(hashes):
        assert whole.root() == defined_root(hashes[:size])
        resumed = Frontier(size, whole.hashes)
        for each in (whole, resumed):
            each.add(leaf)
        assert (resumed.size, resumed.root()) == (size + 1, whole.root())
    with pytest.raises(ValueError, match="perfect subtrees"):
        Frontier(3, whole.hashes[:1])


@given(st.integers(0, 5000), st.integers(0, 5000))
def test_leaves_are_made_up_of_perfect_subtrees_from_left_to_right(one: int, other: int) -> None:
    begin, end = sorted((one, other))
    spans = [
        (part.index << part.level, (part.index + 1) << part.level) for part in Leaves(begin, end).subtrees()
    ]
    assert all(before[1] == after[0] for before, after in pairwise(spans))
    assert not spans or (spans[0][0], spans[-1][1]) == (begin, end)


def test_every_leaf_of_every_tree_is_proven_and_nothing_else_is() -> None:
    for size in range(1, MOST):
        root = defined_root(TREE.hashes[:size])
        for index in range(size):
            path = prove(TREE, inclusion_parts(index, size))
            leaf = TREE.hashes[index]
            assert includes(leaf=leaf, index=index, size=size, path=path, root=root)
            assert len(path) <= (size - 1).bit_length()
            assert not includes(leaf=hash_leaf(b"other"), index=index, size=size, path=path, root=root)
            assert not includes(leaf=leaf, index=index, size=size, path=[*path, root], root=root)
            assert not path or not includes(leaf=leaf, index=index, size=size, path=path[:-1], root=root)
            assert not includes(leaf=leaf, index=index, size=size, path=path, root=EMPTY_ROOT)
            assert not includes(leaf=leaf, index=size, size=size, path=path, root=root)


def test_a_path_proves_its_index_alone() -> None:
    for size in range(2, 20):
        root = defined_root(TREE.hashes[:size])
        for index in range(size):
            path = prove(TREE, inclusion_parts(index, size))
            proven = [
                other
                for other in range(size)
                if includes(leaf=TREE.hashes[index], index=other, size=size, path=path, root=root)
            ]
            assert proven == [index]


def test_every_tree_begins_with_each_smaller_one_and_with_no_other() -> None:
    other = hash_leaf(b"another tree")
    for new in range(MOST):
        for old in range(new + 1):
            path = prove(TREE, consistency_parts(old, new))
            assert proven(old, new, path)
            assert not proven(old, new, path, old_root=other)
            assert old == 0 or not proven(old, new, path, new_root=other)
            assert not proven(old, new, [*path, EMPTY_ROOT])


def proven(old: int, new: int, path: list[bytes], *, old_root: bytes = b"", new_root: bytes = b"") -> bool:
    return is_consistent(
        old=old,
        new=new,
        old_root=old_root or TREE_ROOTS[old],
        new_root=new_root or TREE_ROOTS[new],
        path=path,
    )


def test_a_proof_with_any_hash_changed_is_none() -> None:
    for old, new in ((1, 2), (3, 7), (4, 7), (6, 8), (31, 64), (32, 69), (33, 69)):
        path = prove(TREE, consistency_parts(old, new))
        for index in range(len(path)):
            changed = [*path[:index], hash_leaf(b"other"), *path[index + 1 :]]
            assert not proven(old, new, changed)


def test_what_cannot_be_proven_is_refused() -> None:
    for index, size in ((0, 0), (3, 3), (-1, 3)):
        with pytest.raises(ValueError, match="is not in a tree"):
            inclusion_parts(index, size)
    for old, new in ((2, 1), (-1, 1)):
        with pytest.raises(ValueError, match="does not follow"):
            consistency_parts(old, new)
        assert not is_consistent(old=old, new=new, old_root=EMPTY_ROOT, new_root=EMPTY_ROOT, path=[])
    assert root_of([]) == EMPTY_ROOT
