"""The reader's rule: which records of a partition count.

    Per partition, a fence counts if its term is higher than the current one; it makes (term, writer)
    current. Any other record counts if it carries the current (term, writer). What does not count is
    void: passed over, counted, reported.

Every reader of [events] and [outcomes] applies it: deciders, projectors, API processes, consumers. See
docs/conditional-append.md for why it is enough.
"""

from dataclasses import dataclass
from enum import Enum, auto

from events.errors import MalformedRecord
from events.record import FENCE, KIND, LOG_ID, TERM, WRITER, Headers, NewRecord, Record, integer_of, text_of

FENCE_KIND = b"fence"


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """Who may write to a partition at a point of it: the last fence that counts. Term 0: no one yet."""

    term: int
    writer: str
    fence_offset: int


NO_ONE = Standing(term=0, writer="", fence_offset=-1)


class Verdict(Enum):
    """What the rule says of one record."""

    FENCE = auto()
    COUNTS = auto()
    VOID = auto()


def judge(standing: Standing, record: Record) -> tuple[Verdict, Standing]:
    """Apply the rule to the next record: its verdict, and the standing after it.

    A record without readable stamps is void: it cannot carry the current (term, writer).
    """
    try:
        term = integer_of(record.headers, TERM)
        writer = text_of(record.headers, WRITER)
    except MalformedRecord:
        return Verdict.VOID, standing
    if record.headers.get(KIND) == FENCE_KIND:
        if term > standing.term:
            return Verdict.FENCE, Standing(term=term, writer=writer, fence_offset=record.offset)
        return Verdict.VOID, standing
    counts = 0 < term == standing.term and writer == standing.writer
    return (Verdict.COUNTS if counts else Verdict.VOID), standing


def fence_offset_of(record: Record) -> int | None:
    """The offset of the fence that a record was written under; None when the record tells of none.

    A reader that starts in mid-log goes back to it and applies the rule from there: a writer writes only
    after it has seen its fence count, so that fence counts even where the record is void. A fence by itself
    tells of none: it may be void, and nothing after it would show that.
    """
    if record.headers.get(KIND) == FENCE_KIND:
        return None
    try:
        offset = integer_of(record.headers, FENCE)
    except MalformedRecord:
        return None
    return offset if offset < record.offset else None


def is_fence_of(record: Record, standing: Standing) -> bool:
    """Whether a record is the fence that a standing is of. Writers are unique, so this tells logs apart."""
    return judge(NO_ONE, record) == (Verdict.FENCE, standing)


def fence(*, term: int, writer: str, log_id: str) -> NewRecord:
    """The record by which a writer takes a partition."""
    headers = {
        KIND: FENCE_KIND,
        TERM: b"%d" % term,
        WRITER: writer.encode(),
        LOG_ID: log_id.encode(),
    }
    return NewRecord(key=None, value=None, headers=headers)


def stamps(standing: Standing) -> Headers:
    """The headers that make a record count under a standing."""
    return {
        TERM: b"%d" % standing.term,
        WRITER: standing.writer.encode(),
        FENCE: b"%d" % standing.fence_offset,
    }
