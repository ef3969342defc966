from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.readers_rule import NO_ONE, Standing, Verdict, fence, fence_offset_of, judge, stamps
from events.record import Headers, Record
from tests.strategies import REPEATABLE

LOG = "0d9c9a52-3a3b-4c57-8f6e-2f1b8f1b7c11"
FENCE, COUNTS, VOID = Verdict.FENCE, Verdict.COUNTS, Verdict.VOID


def at(offset: int, headers: Headers) -> Record:
    return Record(partition=0, offset=offset, timestamp_ms=0, key=None, value=None, headers=headers)


def log_of(headers: Sequence[Headers]) -> list[Record]:
    return [at(offset, each) for offset, each in enumerate(headers)]


def read(log: Sequence[Record], standing: Standing = NO_ONE) -> tuple[list[Verdict], Standing]:
    verdicts = []
    for record in log:
        verdict, standing = judge(standing, record)
        verdicts.append(verdict)
    return verdicts, standing


def taking(term: int, writer: str) -> Headers:
    return fence(term=term, writer=writer, log_id=LOG).headers


def stamped(term: int, writer: str, fence_offset: int = 0) -> Headers:
    return stamps(Standing(term=term, writer=writer, fence_offset=fence_offset))


# ---------------------------------------------------------------- the rule, told


def test_a_higher_term_takes_the_partition_and_an_equal_or_lower_one_does_not() -> None:
    log = log_of([taking(2, "a"), taking(2, "b"), taking(1, "c"), taking(3, "b")])
    assert read(log) == ([FENCE, VOID, VOID, FENCE], Standing(term=3, writer="b", fence_offset=3))


def test_what_an_older_owner_still_writes_is_void() -> None:
    log = log_of([taking(1, "a"), stamped(1, "a"), taking(2, "b"), stamped(1, "a"), stamped(2, "b", 2)])
    assert read(log)[0] == [FENCE, COUNTS, FENCE, VOID, COUNTS]


def test_the_loser_of_two_equal_terms_is_void_whatever_it_writes() -> None:
    log = log_of([taking(1, "a"), taking(1, "b"), stamped(1, "b", 1), stamped(1, "a")])
    assert read(log)[0] == [FENCE, VOID, VOID, COUNTS]


def test_a_record_of_a_term_to_come_is_void() -> None:
    assert read(log_of([taking(1, "a"), stamped(2, "a")]))[0] == [FENCE, VOID]


@pytest.mark.parametrize("headers", [stamped(0, ""), stamped(1, "a"), taking(0, ""), taking(0, "a"), {}])
def test_nothing_counts_before_the_first_fence(headers: Headers) -> None:
    assert judge(NO_ONE, at(0, headers)) == (VOID, NO_ONE)


@pytest.mark.parametrize(
    "damage",
    [
        {"term": b""},
        {"term": b"\xff"},
        {"term": b"-1"},
        {"term": b"1.0"},
        {"writer": b"\xff"},
        {"term": b"9" * 21},
    ],
)
@pytest.mark.parametrize("headers", [stamped(1, "a"), taking(2, "b")], ids=["record", "fence"])
def test_a_record_with_an_unreadable_stamp_is_void(damage: Headers, headers: Headers) -> None:
    owned = Standing(term=1, writer="a", fence_offset=0)
    assert judge(owned, at(1, {**headers, **damage})) == (VOID, owned)
    without = {name: value for name, value in headers.items() if name not in damage}
    assert judge(owned, at(1, without)) == (VOID, owned)


def test_a_fence_is_written_as_published() -> None:
    written = fence(term=7, writer="w", log_id=LOG)
    assert (written.key, written.value) == (None, None)
    assert written.headers == {"kind": b"fence", "term": b"7", "writer": b"w", "log_id": LOG.encode()}
    assert stamped(7, "w", 12) == {"term": b"7", "writer": b"w", "fence": b"12"}


# ---------------------------------------------------------------- any log at all

few_terms, few_writers = st.integers(0, 4), st.sampled_from(["a", "b", ""])
garbage = st.sampled_from(
    [{}, {"term": b"x", "writer": b"a"}, {"kind": b"fence", "term": b"9"}, {"writer": b"a"}]
)
any_headers = st.builds(taking, few_terms, few_writers) | st.builds(stamped, few_terms, few_writers) | garbage
any_log = st.lists(any_headers, max_size=24).map(log_of)


def verdict_by_the_book(log: Sequence[Record], offset: int) -> Verdict:
    """The rule from its wording, for one record, by looking at all that came before it."""

    def stamp(record: Record) -> tuple[int, str] | None:
        if not {"term", "writer"} <= record.headers.keys() or not record.headers["term"].isdigit():
            return None
        return int(record.headers["term"]), record.headers["writer"].decode()

    def is_fence(record: Record) -> bool:
        return record.headers.get("kind") == b"fence"

    fences = [found for record in log[:offset] if is_fence(record) and (found := stamp(record))]
    highest = max((term for term, _ in fences), default=0)
    owner = next((found for found in fences if found[0] == highest > 0), None)
    own = stamp(log[offset])
    if own is None:
        return VOID
    if is_fence(log[offset]):
        return FENCE if own[0] > highest else VOID
    return COUNTS if own == owner else VOID


@REPEATABLE
@given(any_log)
def test_every_verdict_is_as_the_rule_is_worded(log: list[Record]) -> None:
    assert read(log)[0] == [verdict_by_the_book(log, offset) for offset in range(len(log))]


@REPEATABLE
@given(any_log)
def test_only_a_fence_that_counts_changes_who_may_write_and_terms_only_rise(log: list[Record]) -> None:
    standing = NO_ONE
    for record in log:
        verdict, after = judge(standing, record)
        if verdict is FENCE:
            assert after.term > standing.term
            assert after.fence_offset == record.offset
        else:
            assert after is standing
        standing = after


@REPEATABLE
@given(any_log)
def test_void_records_might_as_well_not_be_there(log: list[Record]) -> None:
    verdicts, standing = read(log)
    kept = [record for record, verdict in zip(log, verdicts, strict=True) if verdict is not VOID]
    assert read(kept) == ([verdict for verdict in verdicts if verdict is not VOID], standing)


@REPEATABLE
@given(any_log, st.data())
def test_a_reader_that_stops_and_goes_on_reads_the_same(log: list[Record], data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(log)))
    first, standing = read(log[:cut])
    second, last = read(log[cut:], standing)
    assert (first + second, last) == read(log)


# ---------------------------------------------------------------- starting in mid-log


@st.composite
def honest_logs(draw: st.DrawFn) -> list[Record]:
    """Logs of writers who write nothing but fences before they saw their own fence count, and may be late."""
    log: list[Record] = []
    owners: list[Standing] = []
    standing = NO_ONE
    for step in range(draw(st.integers(1, 24))):
        writes: bool = draw(st.booleans())
        if owners and writes:
            headers = stamps(draw(st.sampled_from(owners[-3:])))
        else:
            headers = taking(max(1, standing.term + draw(st.integers(-2, 2))), f"w{step}")
        log.append(at(step, headers))
        verdict, standing = judge(standing, log[-1])
        if verdict is FENCE:
            owners.append(standing)
    return log


@REPEATABLE
@given(honest_logs())
def test_a_reader_in_mid_log_that_goes_back_to_a_records_fence_reads_as_from_the_start(
    log: list[Record],
) -> None:
    verdicts, standing = read(log)
    for record in log:
        start = fence_offset_of(record)
        if start is not None:
            assert read(log[start:]) == (verdicts[start:], standing)


@REPEATABLE
@given(honest_logs())
def test_every_record_but_a_fence_leads_to_a_fence_that_counts(log: list[Record]) -> None:
    verdicts, _ = read(log)
    for record in log:
        start = fence_offset_of(record)
        assert (start is None) == (record.headers.get("kind") == b"fence")
        assert start is None or (start < record.offset and verdicts[start] is FENCE)


def test_a_void_fence_is_no_place_to_begin() -> None:
    log = log_of([taking(5, "a"), taking(3, "late"), stamped(5, "a")])
    assert fence_offset_of(log[1]) is None
    assert fence_offset_of(log[2]) == 0


@pytest.mark.parametrize("headers", [{}, {"fence": b"x"}, {"fence": b""}, {"fence": b"7"}, {"fence": b"8"}])
def test_a_record_that_names_no_earlier_offset_leads_nowhere(headers: Headers) -> None:
    assert fence_offset_of(at(7, headers)) is None
    assert fence_offset_of(at(7, {"fence": b"6"})) == 6
