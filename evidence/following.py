"""Following a log: who keeps the last tree head that they saw, and demands that the next one goes on from it.

What then does not fit is kept as it came: two signed heads that cannot both be of one log are proof for
anybody, without trust in the one who shows them.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum

from evidence.errors import BadSignature
from evidence.merkle import Frontier, is_consistent
from evidence.notes import Key
from evidence.tree_heads import SignedTreeHead, TreeHead, open_head


class Reason(StrEnum):
    """Why a head is not believed."""

    BAD_SIGNATURE = "bad_signature"
    """No trusted key has signed it, or a trusted key's signature does not fit."""
    CONTRADICTION = "contradiction"
    """It is of the same size as the head that is held, and of another root."""
    INCONSISTENT = "inconsistent"
    """The proof does not show that the larger head's log begins with the smaller one's."""
    OTHER_EVENTS = "other_events"
    """It is not of the events that were read."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FailedProof:
    """What to keep as evidence: both heads as signed notes, and the proof that was given between them."""

    reason: Reason
    held: str | None
    shown: str
    path: tuple[bytes, ...] = ()


def sizes_to_prove(held: TreeHead, shown: TreeHead) -> tuple[int, int] | None:
    """The two sizes between which a proof is to be demanded; None where the heads alone tell."""
    if held.size == shown.size:
        return None
    return min(held.size, shown.size), max(held.size, shown.size)


def compare(held: SignedTreeHead, shown: SignedTreeHead, path: Sequence[bytes]) -> FailedProof | None:
    """Whether of two heads of one log the larger goes on from the smaller: None if so.

    `path` is the proof between the sizes of `sizes_to_prove`. That there is none is no evidence: nobody has
    signed anything.
    """
    smaller, larger = sorted((held.head, shown.head), key=lambda head: head.size)
    if smaller.size == larger.size:
        reason = None if smaller.root == larger.root else Reason.CONTRADICTION
    else:
        proven = is_consistent(
            old=smaller.size, new=larger.size, old_root=smaller.root, new_root=larger.root, path=path
        )
        reason = None if proven else Reason.INCONSISTENT
    if reason is None:
        return None
    return FailedProof(reason=reason, held=str(held.note), shown=str(shown.note), path=tuple(path))


class LogFollower:
    """The tree of a log whose events are read one by one, held against the heads that are published of it.

    It needs no proofs from anyone. Keep `size` and `hashes`: to go on after a restart, make it with these
    two, and read from the event after the one of sequence `size`.
    """

    def __init__(self, keys: Collection[Key], *, size: int = 0, hashes: Sequence[bytes] = ()) -> None:
        self._keys = keys
        self._verified = Frontier(size, hashes)
        self._leaves: list[bytes] = []
        self._ahead: dict[int, SignedTreeHead] = {}
        self.head: SignedTreeHead | None = None
        """The last head that fitted."""

    @property
    def size(self) -> int:
        """The size up to which heads fit."""
        return self._verified.size

    @property
    def hashes(self) -> tuple[bytes, ...]:
        """The perfect subtrees up to there."""
        return self._verified.hashes

    @property
    def read(self) -> int:
        """How many of the log's events were read."""
        return self._verified.size + len(self._leaves)

    def add(self, leaf: bytes) -> FailedProof | None:
        """The leaf of the log's next event; what is wrong with a head that was waiting for it."""
        self._leaves.append(leaf)
        waiting = self._ahead.pop(self.read, None)
        return None if waiting is None else self._hold_against(waiting)

    def show(self, note: str) -> FailedProof | None:
        """A head of this log; what is wrong with it. Raise `MalformedNote` for what is none.

        One of events that were not read yet waits for them. One that is smaller than the last that fitted is
        passed over: only a proof of consistency tells whether it is of this log.
        """
        try:
            shown = open_head(note, self._keys)
        except BadSignature:
            return FailedProof(reason=Reason.BAD_SIGNATURE, held=self._note, shown=note)
        size = shown.head.size
        other = self.head if size == self.size else self._ahead.get(size)
        if other is not None:
            return compare(other, shown, ())
        if size > self.read:
            self._ahead[size] = shown
        elif size > self.size:
            return self._hold_against(shown)
        return None

    @property
    def _note(self) -> str | None:
        return None if self.head is None else str(self.head.note)

    def _hold_against(self, shown: SignedTreeHead) -> FailedProof | None:
        tree = Frontier(self._verified.size, self._verified.hashes)
        count = shown.head.size - tree.size
        for leaf in self._leaves[:count]:
            tree.add(leaf)
        if tree.root() != shown.head.root:
            return FailedProof(reason=Reason.OTHER_EVENTS, held=self._note, shown=str(shown.note))
        self._verified, self.head = tree, shown
        del self._leaves[:count]
        return None
