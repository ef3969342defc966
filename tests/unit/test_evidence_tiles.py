import pytest

from evidence.key_notes import key_note, keys_of, keys_trusted
from evidence.merkle import Frontier, Leaves, consistency_parts, hash_leaf, is_consistent, prove
from evidence.notes import SigningKey, parse_note
from evidence.tiles import WIDTH, Edges, MissingHash, Place, Tiles, places_of

MOST = 2 * WIDTH * WIDTH + WIDTH + 3
FIRST, SECOND, THIRD = (SigningKey("log", bytes(range(n, n + 32))) for n in range(3))


def test_a_tree_grown_by_tiles_has_the_roots_and_proofs_of_its_leaves() -> None:
    edges, frontier = Edges(), Frontier()
    roots: dict[int, bytes] = {0: frontier.root()}
    for number in range(MOST):
        leaf = hash_leaf(number.to_bytes(8, "big"))
        edges.add(leaf)
        frontier.add(leaf)
        roots[number + 1] = frontier.root()
    assert edges.size == MOST
    tiles = dict(edges.completed()) | dict(edges.changed())
    assert Place(2, 0) in tiles
    for old, new in ((0, 1), (1, 256), (255, 257), (256, 65_536), (65_535, MOST), (65_537, MOST), (7, 8)):
        parts, whole = consistency_parts(old, new), Leaves(0, new)
        needed = places_of([*parts, whole, Leaves(0, old)])
        assert len(needed) <= 6
        some = Tiles({place: tiles[place] for place in needed})
        assert (some.root(Leaves(0, old)), some.root(whole)) == (roots[old], roots[new])
        path = prove(some, parts)
        assert is_consistent(old=old, new=new, old_root=roots[old], new_root=roots[new], path=path)


def test_a_tree_grows_on_from_its_edges_alone() -> None:
    one, leaves = Edges(), [hash_leaf(bytes([number % 256])) for number in range(600)]
    for leaf in leaves:
        one.add(leaf)
    other = Edges()
    for leaf in leaves:
        other = Edges(kept(other))
        other.add(leaf)
    assert kept(one) == kept(other)


def kept(edges: Edges) -> dict[Place, bytes]:
    return dict(edges.all())


def test_what_is_not_stored_is_missed() -> None:
    with pytest.raises(MissingHash, match="tile 0 of level 0"):
        Tiles({Place(0, 0): bytes(32)}).root(Leaves(0, 2))


def test_a_key_is_trusted_if_one_that_is_trusted_names_it_in_whatever_order_the_notes_come() -> None:
    notes = [str(key_note(keys)) for keys in ([FIRST], [FIRST, SECOND], [SECOND], [SECOND, THIRD])]
    everyone = {key.key() for key in (FIRST, SECOND, THIRD)}
    assert keys_trusted(notes, [FIRST.key()]) == everyone
    assert keys_trusted(notes[::-1], [FIRST.key()]) == everyone
    assert keys_trusted(notes[2:], [FIRST.key()]) == {FIRST.key()}
    assert keys_of(parse_note(notes[1])) == [FIRST.key(), SECOND.key()]
