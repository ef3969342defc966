"""The order of a log's events, and their chain: each event names the hash of the one before it.

Where a link does not hold, this finds out what was done, as far as the records themselves tell it: an event
that was moved to another place is itself again when it is numbered as it was.
"""

from dataclasses import dataclass

from events.envelope import FIRST_PREVIOUS_HASH
from evidence.findings import Findings, Kind
from evidence.log_lines import LogLine

_GAPS = 1000
_MOST_DROPPED = 16

DROPPED = "not there"
SWAPPED = "not in their order"
_DOUBLED = "a second event of this sequence"
_INSERTED = "an event that the next one does not follow; later ones were numbered anew"
_LEFT_OUT = "events before it are gone; it and later ones were numbered anew"
_EXCHANGED = "exchanged, and numbered anew"
_ALTERED = "not the event that the one after it names"
_RUN = "not what the events after them name"
_LAST = "one of them is not what it was"


@dataclass(kw_only=True, slots=True)
class _Break:
    """Links in a row that do not hold: those of the events from `first` to `last` to the ones before them."""

    first: int
    last: int
    line: LogLine
    before: str
    """The hash of the event before the first."""
    is_named: bool = False
    """Whether what was done is known, and told."""


class ChainCheck:
    """Fed with events as they come, tells what is wrong with their order and links.

    `begin` is the sequence at which they are to begin. Only while `is_gapless` does the nth event that came
    stand at the nth place.
    """

    def __init__(self, begin: int, findings: Findings) -> None:
        self.expected = begin
        self.is_gapless = True
        self._findings = findings
        self._begin = begin
        self._missing: list[range] = []
        # The hashes that the next event may name, and that of the event before the last.
        self._named = [FIRST_PREVIOUS_HASH] if begin == 1 else []
        self._earlier: str | None = None
        self._break: _Break | None = None

    def feed(self, line: LogLine) -> None:
        """The next event."""
        if line.sequence == self.expected:
            self._link(line)
            self._move_to(line)
        elif line.sequence > self.expected:
            self._gap(line)
        else:
            self._misplaced(line)

    def skip(self) -> None:
        """In the place of the next event is something that is none."""
        self._end_break()
        self.is_gapless, self._named, self._earlier = False, [], None
        self.expected += 1

    def finish(self) -> None:
        """No more events come."""
        broken = self._break
        if broken is not None and not broken.is_named and broken.first == broken.last == self.expected - 1:
            # Nothing follows that would tell which of the two it is.
            first = max(self._begin, broken.first - 1)
            self._findings.add(Kind.ALTERED, first, broken.last, _LAST)
            self._break = None
        self._end_break()
        for gap in self._missing:
            self._findings.add(Kind.DROPPED, gap.start, gap.stop - 1, DROPPED)

    # ---------------------------------------------------------------- order

    def _move_to(self, line: LogLine) -> None:
        self._earlier = self._named[0] if len(self._named) == 1 else None
        self._named = [line.hash]
        self.expected = line.sequence + 1

    def _gap(self, line: LogLine) -> None:
        self._end_break()
        if len(self._missing) < _GAPS:
            self._missing.append(range(self.expected, line.sequence))
        else:
            self._findings.add(Kind.DROPPED, self.expected, line.sequence - 1, DROPPED)
        self.is_gapless, self._named, self._earlier = False, [line.hash], None
        self.expected = line.sequence + 1

    def _misplaced(self, line: LogLine) -> None:
        """An event of a place that is behind: one that was missing, or one too many."""
        self._end_break()
        self.is_gapless, sequence = False, line.sequence
        gap = next((gap for gap in self._missing if sequence in gap), None)
        if gap is not None:
            self._missing.remove(gap)
            parts = (range(gap.start, sequence), range(sequence + 1, gap.stop))
            if len(self._missing) < _GAPS:
                self._missing.extend(part for part in parts if part)
            self._findings.add(Kind.SWAPPED, sequence, self.expected - 1, SWAPPED)
            return
        self._findings.add(Kind.INSERTED, sequence, sequence, _DOUBLED)
        if sequence == self.expected - 1 and len(self._named) < _GAPS:
            self._named.append(line.hash)

    # ---------------------------------------------------------------- links

    def _link(self, line: LogLine) -> None:
        broken = self._break
        if not self._named or line.previous_hash in self._named:
            self._end_break()
            return
        if broken is None:
            self._break = _Break(first=line.sequence, last=line.sequence, line=line, before=self._named[0])
        else:
            broken.last = line.sequence
            if not broken.is_named and line.sequence == broken.first + 1:
                self._name(broken, line)
        broken = self._break
        if broken is not None and not broken.is_named and line.previous_hash == self._earlier:
            self._say(broken, Kind.INSERTED, line.sequence - 1, line.sequence - 1, _INSERTED)

    def _name(self, broken: _Break, line: LogLine) -> None:
        """What two links in a row tell, that do not hold: whether these events stood elsewhere before."""
        moved = broken.line
        if moved.previous_hash == line.at(moved.sequence).hash:
            self._say(broken, Kind.SWAPPED, moved.sequence, line.sequence, _EXCHANGED)
            return
        for more in range(1, _MOST_DROPPED + 1):
            if moved.at(moved.sequence + more).hash == line.previous_hash:
                self._say(broken, Kind.DROPPED, moved.sequence, moved.sequence + more - 1, _LEFT_OUT)
                return

    def _say(self, broken: _Break, kind: Kind, first: int, last: int, detail: str) -> None:
        broken.is_named = True
        self._findings.add(kind, first, last, detail)

    def _end_break(self) -> None:
        broken, self._break = self._break, None
        if broken is None or broken.is_named:
            return
        first = max(self._begin, broken.first - 1)
        if broken.first == broken.last:
            self._findings.add(Kind.ALTERED, first, first, _ALTERED)
        else:
            self._findings.add(Kind.ALTERED, first, broken.last - 1, _RUN)
