"""What is wrong with a log, and where."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What was done to it."""

    ALTERED = "altered"
    """An event is not what the event after it says that it was."""
    DROPPED = "dropped"
    """Events are missing."""
    INSERTED = "inserted"
    """There is an event too many."""
    SWAPPED = "swapped"
    """Events are not in their order."""
    REWRITTEN = "rewritten"
    """Something of this, with the chain made anew over it: a tree head does not fit."""
    UNPROVEN = "unproven"
    """No tree head that the log reaches was signed for these events, and one that it does not reach was."""
    CUT = "cut"
    """The log ends before a tree head's size."""
    BAD_LINE = "bad_line"
    """What is there is no event's record."""
    OTHER_LOG = "other_log"
    """An event is of another team than those before it."""
    BAD_HEAD = "bad_head"
    """A tree head is malformed, or not signed by a trusted key."""
    CONTRADICTION = "contradiction"
    """Two signed tree heads cannot both be of one log."""
    NO_HEAD = "no_head"
    """No tree head is of this log, so nothing is proven."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """What is wrong with the events from `first` to `last`; of a head, `first` is its size."""

    kind: Kind
    first: int
    last: int
    detail: str

    def __str__(self) -> str:
        where = (
            f"sequence {self.first}" if self.first == self.last else f"sequences {self.first} to {self.last}"
        )
        return f"{self.kind}: {where}: {self.detail}"


class Findings:
    """Findings in the order in which they are made: the first of them in full, of the others their number."""

    def __init__(self, most: int = 100) -> None:
        self._most = most
        self.kept: list[Finding] = []
        self.count = 0

    def add(self, kind: Kind, first: int, last: int, detail: str) -> None:
        """Add what is wrong; what touches the last finding is one with it."""
        if self.kept and self.count == len(self.kept):
            before = self.kept[-1]
            touch = first <= before.last + 1 and before.first <= last + 1
            if touch and (before.kind, before.detail) == (kind, detail):
                first, last = min(first, before.first), max(last, before.last)
                self.kept[-1] = Finding(kind=kind, first=first, last=last, detail=detail)
                return
        self.count += 1
        if len(self.kept) < self._most:
            self.kept.append(Finding(kind=kind, first=first, last=last, detail=detail))
