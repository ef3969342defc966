"""Auditing: whether an exported log is the one that tree heads were signed for, and where it is not.

A tree head commits to every event up to its size. So a log is whole up to the last head that fits it; where
one does not fit, something between it and the last head before that does was altered, dropped, inserted or
swapped, whatever was made anew to hide it. The chain tells the place exactly where it was not made anew.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from evidence.chain_check import ChainCheck
from evidence.findings import Finding, Findings, Kind
from evidence.head_book import HeadBook, Trust, contradictions, open_heads
from evidence.head_files import HeadLine, hashes_of
from evidence.log_lines import LogLine, MalformedLine, parse_line
from evidence.merkle import Frontier, is_consistent
from evidence.tree_heads import TreeHead

_OF_HEADS = {Kind.BAD_HEAD, Kind.CONTRADICTION}


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """What an audit found.

    Events up to `signed_to` are those that heads were signed for (0: none); of later ones only order and
    chain were looked at. `misfit` is the size of the first head that does not fit.
    """

    team_id: str | None
    first: int
    last: int
    events: int
    heads: int
    other_heads: int
    unwitnessed_heads: int
    signed_to: int
    misfit: int | None
    findings: list[Finding]
    finding_count: int

    @property
    def is_whole(self) -> bool:
        """Whether nothing is wrong with what was looked at."""
        return not self.findings


class Auditor:
    """Fed with the lines of an export, in constant memory; `end` is where it is to end, if in the middle.

    An export that begins in the middle needs a proof of inclusion of its first event in the tree that ends
    with it: the path holds what the events before amount to. With `team_id` and `log_id` it has to be that
    team's log, and to end under that id.
    """

    def __init__(
        self,
        heads: Iterable[HeadLine],
        trust: Trust,
        end: int | None = None,
        *,
        team_id: str | None = None,
        log_id: str | None = None,
    ) -> None:
        self._findings = Findings()
        self._book = open_heads(heads, trust, self._findings)
        self._end = end
        begin, hashes = _anchor(self._book)
        self._begin = begin
        self._frontier = Frontier(begin - 1, hashes)
        self._chain = ChainCheck(begin, self._findings)
        self._sizes = {one.head.size for one in self._book.heads}
        self._roots: dict[int, bytes] = {}
        self._events = 0
        self._team_id = team_id
        self._wanted_log_id = log_id
        self._log_id: str | None = None
        self._note_root()

    def feed(self, text: bytes) -> None:
        """The next line."""
        try:
            line = parse_line(text)
        except MalformedLine as error:
            self._findings.add(Kind.BAD_LINE, self._chain.expected, self._chain.expected, str(error))
            self._chain.skip()
            return
        self._check_log(line)
        self._events += 1
        self._chain.feed(line)
        if self._chain.is_gapless:
            self._frontier.add(line.leaf)
            self._note_root()

    def finish(self) -> Report:
        """No more lines come."""
        self._chain.finish()
        heads = self._heads()
        self._check_end()
        # What was there before the export shows nothing of it.
        fits = [
            head.size
            for head in heads
            if self._roots.get(head.size) == head.root and (head.size >= self._begin or not self._events)
        ]
        signed_to = max(fits, default=0)
        misfit = self._judge(heads, signed_to)
        proven = self._prove_end(heads)
        self._cut(heads, max(signed_to, proven), misfit)
        if not heads:
            self._findings.add(Kind.NO_HEAD, self._begin, self._last, "no tree head is of this log")
        elif not self._findings.count and self._events and not max(signed_to, proven):
            self._findings.add(Kind.NO_HEAD, self._begin, self._last, "no tree head is of a size within it")
        return Report(
            team_id=self._team_id,
            first=self._begin,
            last=self._last,
            events=self._events,
            heads=len(heads),
            other_heads=len(self._book.heads) - len(heads),
            unwitnessed_heads=self._book.unwitnessed,
            signed_to=max(signed_to, proven),
            misfit=misfit,
            findings=self._findings.kept,
            finding_count=self._findings.count,
        )

    @property
    def _last(self) -> int:
        return self._chain.expected - 1

    def _check_log(self, line: LogLine) -> None:
        if self._team_id is not None and line.team_id != self._team_id:
            self._findings.add(Kind.OTHER_LOG, line.sequence, line.sequence, "of another team")
            return
        self._team_id, self._log_id = line.team_id, line.log_id

    def _check_end(self) -> None:
        if self._wanted_log_id is not None and self._events and self._log_id != self._wanted_log_id:
            detail = f"it ends in the log {self._log_id}, not in {self._wanted_log_id}"
            self._findings.add(Kind.OTHER_LOG, self._last, self._last, detail)

    def _note_root(self) -> None:
        if self._frontier.size in self._sizes:
            self._roots[self._frontier.size] = self._frontier.root()

    def _heads(self) -> list[TreeHead]:
        """The heads of this log: of its team, and where they are of several logs, of the last event's."""
        heads = [one.head for one in self._book.heads]
        if self._team_id is None:
            return heads
        ours = [head for head in heads if head.origin.rpartition("/")[2] == self._team_id]
        if len({head.origin for head in ours}) > 1:
            ours = [head for head in ours if head.origin.split("/")[-2:] == [self._log_id, self._team_id]]
        return ours

    def _judge(self, heads: list[TreeHead], signed_to: int) -> int | None:
        """Tell of heads that do not fit; the size of the first one that contradicts no other."""
        for size in contradictions(heads):
            self._findings.add(Kind.CONTRADICTION, size, size, "two heads of this size, with other roots")
        misfits = [head.size for head in heads if self._roots.get(head.size, head.root) != head.root]
        for size in sorted({size for size in misfits if size < signed_to} - set(contradictions(heads))):
            detail = f"contradicts the head of size {signed_to}, which fits the log"
            self._findings.add(Kind.CONTRADICTION, size, size, detail)
        misfit = min((size for size in misfits if size > signed_to), default=None)
        if misfit is not None:
            low = max(signed_to, self._begin - 1) + 1
            found = [one for one in self._findings.kept if one.kind not in _OF_HEADS]
            if not any(low <= one.last and one.first <= misfit for one in found):
                detail = "altered, dropped, inserted or swapped, and the chain made anew"
                self._findings.add(Kind.REWRITTEN, low, misfit, detail)
        return misfit

    def _cut(self, heads: list[TreeHead], signed_to: int, misfit: int | None) -> None:
        """Tell of an export that ends before the last head, unless it is meant to end there, and proven."""
        signed = max((head.size for head in heads), default=0)
        end = signed if self._end is None else self._end
        told = any(one.kind is Kind.REWRITTEN for one in self._findings.kept)
        open_end = self._chain.is_gapless and signed_to < self._last < max(signed, end)
        if misfit is None and open_end and not told:
            detail = "no head that the log reaches was signed for them"
            self._findings.add(Kind.UNPROVEN, max(signed_to + 1, self._begin), self._last, detail)
        if self._last < end:
            self._findings.add(Kind.CUT, self._last + 1, end, "the log ends before them")

    def _prove_end(self, heads: list[TreeHead]) -> int:
        """The export's end, if a proof shows that a head's tree begins with what was exported."""
        size = self._frontier.size
        roots = {head.size: head.root for head in heads}
        for proof in self._book.consistency:
            if proof.from_ == size == self._last and proof.to in roots:
                path, new = hashes_of(proof.path), roots[proof.to]
                old = self._frontier.root()
                if is_consistent(old=size, new=proof.to, old_root=old, new_root=new, path=path):
                    return size
                self._findings.add(
                    Kind.REWRITTEN, self._begin, size, f"the head of size {proof.to} does not begin with this"
                )
        return 0


def _anchor(book: HeadBook) -> tuple[int, list[bytes]]:
    """Where an export begins, and what the perfect subtrees before it are."""
    proof = book.inclusion
    if proof is None or proof.sequence != proof.size or len(proof.path) != (proof.size - 1).bit_count():
        return 1, []
    return proof.sequence, hashes_of(proof.path)[::-1]
