"""The reader's rule: which records of a log count. Everything else in the model builds on it.

    A fence counts if its term is higher than the current one; it makes (term, writer) current.
    Any other record counts if it carries the current (term, writer). What does not count is void.

The rule looks only backwards, so what has counted once counts for ever, and a reader that stopped at a
checkpoint with its (term, writer), its standing, goes on as if it had never stopped.
"""

from functools import lru_cache
from typing import NamedTuple

from tests.model.records import Event, Fence, Log, Mark, Outcome, Record

Standing = tuple[int, int]
NO_ONE: Standing = (0, -1)
cached = lru_cache(maxsize=1 << 16)


class Rule(NamedTuple):
    """The rule of one topic; each flag weakens it, for a mutant."""

    equal_terms_count: bool = False
    ignored: bool = False
    any_fence_begins: bool = False


class Reading(NamedTuple):
    """What a reader makes of a log: per record whether it counts, and the standing before it."""

    counts: tuple[bool, ...]
    standings: tuple[Standing, ...]


class Position(NamedTuple):
    """Where a decider goes on: the next command, where events from it on can begin, and who says so."""

    next: int
    end: int
    author: Standing


def advance(standing: Standing, record: Record, rule: Rule) -> tuple[Standing, bool]:
    """Apply the rule to one record: the standing after it, and whether it counts."""
    if isinstance(record, Fence):
        higher = record.term > standing[0] or (rule.equal_terms_count and record.term == standing[0])
        return ((record.term, record.writer), True) if higher else (standing, False)
    return standing, rule.ignored or (record.term, record.writer) == standing


@cached
def read(log: Log, rule: Rule, start: int = 0, standing: Standing = NO_ONE) -> Reading:
    """Read a log from an offset whose standing is known."""
    counts, standings = [], []
    for record in log[start:]:
        standings.append(standing)
        standing, count = advance(standing, record, rule)
        counts.append(count)
    return Reading(tuple(counts), tuple(standings))


def midlog_start(log: Log, rule: Rule, first: int, trimmed: int) -> int | None:
    """Find where a reader that knows nothing can begin: the fence of the first record that leads to one.

    Only an owner that has read its own fence, and found that it counts, writes anything but fences. So the
    fence of any such record counts, be the record itself void. A fence alone proves nothing: it may be void.
    """
    for offset in range(first, len(log)):
        record = log[offset]
        if rule.ignored or (rule.any_fence_begins and isinstance(record, Fence)):
            return offset
        if not isinstance(record, Fence) and record.fence >= trimmed:
            return record.fence
    return None


@cached
def counted(
    log: Log, rule: Rule, start: int = 0, standing: Standing = NO_ONE
) -> tuple[tuple[int, Record], ...]:
    """The records that count, with their offsets, for a reader that begins where it knows the standing."""
    counts = read(log, rule, start, standing).counts
    return tuple((offset, log[offset]) for offset, count in enumerate(counts, start) if count)


@cached
def facts(log: Log, rule: Rule, start: int = 0, standing: Standing = NO_ONE) -> tuple[tuple[int, Event], ...]:
    """The events that count, likewise."""
    found = counted(log, rule, start, standing)
    return tuple((offset, record) for offset, record in found if isinstance(record, Event))


@cached
def answers(log: Log, rule: Rule) -> tuple[tuple[int, Outcome], ...]:
    """The outcomes that count, with their offsets, for a reader from the very start."""
    return tuple((offset, record) for offset, record in counted(log, rule) if isinstance(record, Outcome))


@cached
def position(log: Log, rule: Rule, trimmed: int) -> Position | None:
    """The position after the last outcome or mark that counts, for a reader of what retention has left."""
    start = midlog_start(log, rule, trimmed, trimmed) if trimmed else 0
    if start is None:
        return None
    for _, record in reversed(counted(log, rule, start)):
        if isinstance(record, Outcome):
            return Position(record.command + 1, record.end, (record.term, record.writer))
        if isinstance(record, Mark):
            return Position(record.next, record.end, (record.term, record.writer))
    return None


def last_term(log: Log, rule: Rule) -> int:
    """The highest term that a reader of the whole log has seen count."""
    return max((record.term for _, record in counted(log, rule) if isinstance(record, Fence)), default=0)
