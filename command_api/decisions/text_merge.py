"""Merging text by line, three ways (diff3: Khanna, Kunal and Pierce, 2007): no line is made up.

Changes of both sides merge when at least one line of the base, kept by both, lies between them, or when they
are the same change. The result does not depend on which side is which.
"""

from collections.abc import Iterator, Sequence

from events.line_diff import Change, changes_between, lines_of


def merge_text(base: str, one: str, other: str) -> str | None:
    """Both sides' changes to the base; None when they meet, or are too many to compare."""
    lines, left, right = map(lines_of, (base, one, other))
    if lines is None or left is None or right is None:
        return None
    ours = changes_between(lines, left)
    theirs = None if ours is None else changes_between(lines, right)
    if ours is None or theirs is None or any(_meet(change, theirs) for change in ours):
        return None
    return "\n".join(_applied(lines, sorted({*ours, *theirs}, key=lambda change: change.start)))


def _meet(change: Change, others: Sequence[Change]) -> bool:
    return any(
        change != other and change.start <= other.end and other.start <= change.end for other in others
    )


def _applied(base: Sequence[str], changes: Sequence[Change]) -> Iterator[str]:
    at = 0
    for change in changes:
        yield from base[at : change.start]
        yield from change.lines
        at = change.end
    yield from base[at:]
