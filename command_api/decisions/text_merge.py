"""Merging text by line, three ways (diff3: Khanna, Kunal and Pierce, 2007): no line is made up.

Each side's changes to the base are found by the greedy algorithm of Myers ("An O(ND) Difference Algorithm",
1986). Changes of both sides merge when at least one line of the base, kept by both, lies between them, or
when they are the same change. The result does not depend on which side is which.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_STEPS = 20_000
"""Steps that one comparison may take, some 10 ms. Larger differences are left to people."""
_LINES = 20_000
"""Lines that a text may have: more are not even counted."""


@dataclass(frozen=True, slots=True)
class _Change:
    """Lines `start` up to but without `end` of the base become `lines`."""

    start: int
    end: int
    lines: tuple[str, ...]


def merge_text(base: str, one: str, other: str) -> str | None:
    """Both sides' changes to the base; None when they meet, or are too many to compare."""
    if any(text.count("\n") >= _LINES for text in (base, one, other)):
        return None
    lines = base.split("\n")
    left = _changes(lines, one.split("\n"))
    right = None if left is None else _changes(lines, other.split("\n"))
    if left is None or right is None or any(_meet(change, right) for change in left):
        return None
    return "\n".join(_applied(lines, sorted({*left, *right}, key=lambda change: change.start)))


def _meet(change: _Change, others: Sequence[_Change]) -> bool:
    return any(
        change != other and change.start <= other.end and other.start <= change.end for other in others
    )


def _applied(base: Sequence[str], changes: Sequence[_Change]) -> Iterator[str]:
    at = 0
    for change in changes:
        yield from base[at : change.start]
        yield from change.lines
        at = change.end
    yield from base[at:]


def _changes(base: Sequence[str], new: Sequence[str]) -> list[_Change] | None:
    first = 0
    while first < min(len(base), len(new)) and base[first] == new[first]:
        first += 1
    last = 0
    while last < min(len(base), len(new)) - first and base[-1 - last] == new[-1 - last]:
        last += 1
    kept = _kept(base[first : len(base) - last], new[first : len(new) - last])
    if kept is None:
        return None
    ends = [*((first + x, first + y) for x, y in kept), (len(base) - last, len(new) - last)]
    changes, at = [], (first, first)
    for x, y in ends:
        if (x, y) != at:
            changes.append(_Change(at[0], x, tuple(new[at[1] : y])))
        at = (x + 1, y + 1)
    return changes


def _kept(base: Sequence[str], new: Sequence[str]) -> list[tuple[int, int]] | None:
    """The lines that a shortest change keeps, as places in both, in order."""
    farthest, trace, steps = {1: 0}, [], 0
    for distance in range(len(base) + len(new) + 1):
        trace.append(dict(farthest))
        for diagonal in range(-distance, distance + 1, 2):
            x = start = _begun(farthest, diagonal, distance)
            while x < len(base) and x - diagonal < len(new) and base[x] == new[x - diagonal]:
                x += 1
            farthest[diagonal] = x
            steps += 1 + x - start
            if x >= len(base) and x - diagonal >= len(new):
                return _retraced(trace, len(base), len(new))
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
