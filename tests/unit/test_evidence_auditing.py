"""An exported log is whole, or what was done to it is found and located."""

import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.exported_logs import ExportedLog, audit, found

SIZE = 40
HEADS = (1, 10, 20, 30, SIZE)
LOG = ExportedLog.of(SIZE)
PLACES = (1, 2, 17, SIZE - 1, SIZE)
Forge = Callable[[ExportedLog, int], None]


def forged(forge: Forge, place: int, *, chained: bool = False, numbered: bool = False) -> ExportedLog:
    log = LOG.copy()
    forge(log, place)
    if numbered or chained:
        log.number_anew()
    if chained:
        log.chain_anew()
    return log


def swap(log: ExportedLog, place: int) -> None:
    log.swap(*((place, place + 1) if place < SIZE else (place - 1, place)))


def around(place: int) -> tuple[int, int]:
    """The narrowest range between two heads that a place is in."""
    last = min(size for size in HEADS if size >= place)
    return max((size for size in HEADS if size < last), default=0) + 1, last


def test_a_log_that_nobody_touched_is_whole() -> None:
    report = audit(LOG, LOG.heads(*HEADS))
    assert (report.is_whole, report.events, report.signed_to, report.misfit) == (True, SIZE, SIZE, None)


def test_what_comes_after_the_last_head_is_whole_and_not_yet_signed() -> None:
    report = audit(LOG, LOG.heads(10, 20))
    assert (report.is_whole, report.last, report.signed_to) == (True, SIZE, 20)


# ---------------------------------------------------------------- records alone


@pytest.mark.parametrize("place", PLACES[:-2])
def test_an_altered_event_is_named_by_the_one_after_it(place: int) -> None:
    report = audit(forged(ExportedLog.alter, place), LOG.heads(*HEADS))
    assert found(report) == [("altered", place, place)]


def test_which_of_the_last_two_events_was_altered_cannot_be_told() -> None:
    report = audit(forged(ExportedLog.alter, SIZE - 1), LOG.heads(*HEADS))
    assert found(report) == [("altered", SIZE - 1, SIZE)]


def test_the_last_event_is_found_altered_by_the_head() -> None:
    report = audit(forged(ExportedLog.alter, SIZE), LOG.heads(*HEADS))
    assert found(report) == [("rewritten", 31, SIZE)]


@pytest.mark.parametrize("place", PLACES)
def test_a_dropped_event_is_named(place: int) -> None:
    report = audit(forged(ExportedLog.drop, place), LOG.heads(*HEADS))
    if place == SIZE:
        assert found(report) == [("unproven", 31, SIZE - 1), ("cut", SIZE, SIZE)]
    else:
        assert found(report) == [("dropped", place, place)]


@pytest.mark.parametrize("place", PLACES)
def test_an_inserted_event_is_named(place: int) -> None:
    report = audit(forged(ExportedLog.insert, place), LOG.heads(*HEADS))
    assert ("inserted", place, place) in found(report)
    assert all(first in (place - 1, place) for _, first, _ in found(report))


@pytest.mark.parametrize("place", PLACES)
def test_swapped_events_are_named(place: int) -> None:
    report = audit(forged(swap, place), LOG.heads(*HEADS))
    first = min(place, SIZE - 1)
    assert found(report) == [("swapped", first, first + 1)]


def test_events_that_changed_places_far_apart_are_one_finding() -> None:
    log = LOG.copy()
    log.swap(5, 9)
    assert found(audit(log, LOG.heads(*HEADS))) == [("swapped", 5, 9)]


@pytest.mark.parametrize("length", [0, 1, 17, SIZE - 1])
def test_a_cut_is_found_up_to_the_last_head(length: int) -> None:
    log = ExportedLog(LOG.lines[:length])
    signed_to = max((size for size in HEADS if size <= length), default=0)
    unproven = [("unproven", signed_to + 1, length)] if signed_to < length else []
    assert found(audit(log, LOG.heads(*HEADS))) == [*unproven, ("cut", length + 1, SIZE)]


# ---------------------------------------------------------------- numbered anew, with the chain as it was


@pytest.mark.parametrize("place", [2, 17, SIZE - 2])
def test_a_drop_that_numbers_hide_is_told_by_the_chain(place: int) -> None:
    report = audit(forged(ExportedLog.drop, place, numbered=True), LOG.heads(*HEADS))
    assert found(report)[0] == ("dropped", place, place)
    assert {kind for kind, _, _ in found(report)} <= {"dropped", "unproven", "cut"}


@pytest.mark.parametrize("place", [2, 17, SIZE - 1])
def test_an_insertion_that_numbers_hide_is_told_by_the_chain(place: int) -> None:
    report = audit(forged(ExportedLog.insert, place, numbered=True), LOG.heads(*HEADS))
    assert found(report) == [("inserted", place, place)]


@pytest.mark.parametrize("place", [1, 2, 17])
def test_a_swap_that_numbers_hide_is_told_by_the_chain(place: int) -> None:
    report = audit(forged(swap, place, numbered=True), LOG.heads(*HEADS))
    assert found(report) == [("swapped", place, place + 1)]


# ---------------------------------------------------------------- with a chain made anew


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("forge", [ExportedLog.alter, ExportedLog.drop, ExportedLog.insert, swap])
def test_where_the_chain_was_made_anew_the_narrowest_range_between_heads_is_named(
    forge: Forge, place: int
) -> None:
    report = audit(forged(forge, place, chained=True), LOG.heads(*HEADS))
    first = min(place, SIZE - 1) if forge is swap else place
    low, high = around(first)
    if forge is not ExportedLog.drop:
        assert found(report) == [("rewritten", low, high)]
    elif high == SIZE:
        assert found(report) == [("unproven", low, SIZE - 1), ("cut", SIZE, SIZE)]
    else:
        assert found(report) == [("rewritten", low, high), ("cut", SIZE, SIZE)]
    assert report.signed_to == low - 1


def test_a_forger_who_stops_in_the_middle_is_found_where_the_heads_tell_and_where_they_stopped() -> None:
    log = forged(ExportedLog.alter, 3, chained=True)
    log.lines[25:] = LOG.copy().lines[25:]
    report = audit(log, LOG.heads(*HEADS))
    assert found(report) == [("altered", 25, 25), ("rewritten", 2, 10)]
    assert (report.signed_to, report.misfit) == (1, 10)


@given(
    st.sampled_from(["alter", "drop", "insert", "swap", "cut"]),
    st.integers(1, SIZE),
    st.booleans(),
    st.booleans(),
    st.sets(st.integers(1, SIZE), max_size=5),
)
def test_whatever_one_does_to_a_log_is_found_and_lies_in_what_is_named(
    what: str, place: int, chained: bool, numbered: bool, sizes: set[int]
) -> None:
    forges: dict[str, Forge] = {
        "alter": ExportedLog.alter,
        "drop": ExportedLog.drop,
        "insert": ExportedLog.insert,
        "swap": swap,
        "cut": lambda log, at: log.lines.__delitem__(slice(at - 1, None)),
    }
    log = forged(forges[what], place, chained=chained, numbered=numbered)
    report = audit(log, LOG.heads(SIZE, *sizes))
    assert not report.is_whole
    assert min(first for _, first, _ in found(report)) <= place
    assert max(last for _, _, last in found(report)) >= min(place, SIZE - 1)


# ---------------------------------------------------------------- lines


@pytest.mark.parametrize(
    "text",
    [
        b"\n",
        b"[]\n",
        b"{}\n",
        b"\xff\n",
        LOG.texts[4].replace(b'"data":', b'"data":"","data":'),
        LOG.texts[4].replace(b'"sequence":5', b'"sequence":6'),
        LOG.texts[4].replace(b'"sequence":5', b'"sequence":true'),
        LOG.texts[4].replace(b'"data":', b'"more":1,"data":'),
        LOG.texts[4].replace(b'"ce_logid"', b'"logid"'),
        LOG.texts[4].replace(b'"ce_logid"', b'"ce_log"'),
        LOG.texts[4].replace(b'"ana"', b"1"),
        LOG.texts[4].replace(b'"/teams/', b'"/'),
        LOG.texts[4].replace(b'"ana"', b'"\\ud800"'),
        LOG.texts[4][:-9],
    ],
)
def test_a_line_that_holds_no_event_is_named(text: bytes) -> None:
    lines = LOG.texts
    lines[4] = text
    assert found(audit(lines, LOG.heads(*HEADS))) == [("bad_line", 5, 5)]


def test_json_in_another_form_is_the_same_event() -> None:
    lines = [json.dumps(line, indent=None).encode() for line in LOG.lines]
    assert audit(lines, LOG.heads(*HEADS)).is_whole


def test_an_event_of_another_team_is_named() -> None:
    log = LOG.copy()
    log.lines[4]["headers"]["ce_source"] = "/teams/00000000-0000-4000-8000-000000000002"
    assert found(audit(log, LOG.heads(*HEADS)))[0] == ("other_log", 5, 5)
