"""What changed between two texts, line by line (Myers, "An O(ND) Difference Algorithm", 1986)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_STEPS = 20_000
"""Steps that one comparison may take, some 10 ms. Larger differences are left to people."""
_LINES = 20_000
"""Lines that a text may have: more are not even counted."""


@dataclass(frozen=True, slots=True)
class Change:
    """Lines `start` up to but without `end` of the old text become `lines`."""

    start: int
    end: int
    lines: tuple[str, ...]


def lines_of(text: str) -> list[str] | None:
    """The lines of a text; None if they are too many to compare."""
    return None if text.count("\n") >= _LINES else text.split("\n")


def changes_between(old: Sequence[str], new: Sequence[str]) -> list[Change] | None:
    """The fewest changes that make one text of the other, in order; None if they are too many to find."""
    first = _alike(zip(old, new, strict=False))
    last = _alike(zip(reversed(old[first:]), reversed(new[first:]), strict=False))
    kept = _kept(old[first : len(old) - last], new[first : len(new) - last])
    if kept is None:
        return None
    ends = [*((first + x, first + y) for x, y in kept), (len(old) - last, len(new) - last)]
    changes, at = [], (first, first)
    for x, y in ends:
        if (x, y) != at:
            changes.append(Change(at[0], x, tuple(new[at[1] : y])))
        at = (x + 1, y + 1)
    return changes


def _alike(pairs: Iterable[tuple[str, str]]) -> int:
    """How many lines are the same until the first that is not."""
    count = 0
    for one, other in pairs:
        if one != other:
            break
        count += 1
    return count


def _kept(old: Sequence[str], new: Sequence[str]) -> list[tuple[int, int]] | None:
    """The lines that a shortest change keeps, as places in both, in order."""
    if set(old).isdisjoint(new):
        # However long: a text that grew at its end is no large difference.
        return []
    farthest, trace, steps = {1: 0}, [], 0
    for distance in range(len(old) + len(new) + 1):
        trace.append(dict(farthest))
        for diagonal in range(-distance, distance + 1, 2):
            x = start = _begun(farthest, diagonal, distance)
            while x < len(old) and x - diagonal < len(new) and old[x] == new[x - diagonal]:
                x += 1
            farthest[diagonal] = x
            steps += 1 + x - start
            if x >= len(old) and x - diagonal >= len(new):
                return _retraced(trace, len(old), len(new))
            if steps > _STEPS:
                return None
    raise AssertionError("the longest way removes and adds every line")


def _begun(farthest: dict[int, int], diagonal: int, distance: int) -> int:
    """Where the way to a diagonal enters it: by an added line from above, or by a removed one from below."""
    if _comes_from_above(farthest, diagonal, distance):
        return farthest[diagonal + 1]
    return farthest[diagonal - 1] + 1


def _comes_from_above(farthest: dict[int, int], diagonal: int, distance: int) -> bool:
    if diagonal in (-distance, distance):
        return diagonal == -distance
    return farthest[diagonal - 1] < farthest[diagonal + 1]


def _retraced(trace: Sequence[dict[int, int]], x: int, y: int) -> list[tuple[int, int]]:
    kept = []
    for distance in range(len(trace) - 1, -1, -1):
        farthest, diagonal = trace[distance], x - y
        before = diagonal + 1 if _comes_from_above(farthest, diagonal, distance) else diagonal - 1
        from_x = farthest[before]
        while x > from_x and y > from_x - before:
            x, y = x - 1, y - 1
            kept.append((x, y))
        x, y = from_x, from_x - before
    return kept[::-1]
