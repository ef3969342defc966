"""Consumers of a log: they hold its events against the heads that are published of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.errors import MalformedNote
from evidence.following import FailedProof, LogFollower, Reason
from evidence.log_lines import parse_line
from evidence.notes import SigningKey
from tests.exported_logs import LOG_KEY, ExportedLog

SIZE = 20
LOG = ExportedLog.of(SIZE)
LEAVES = [parse_line(text).leaf for text in LOG.texts]
KEYS = [LOG_KEY.key()]


def head(size: int, log: ExportedLog = LOG, by: SigningKey = LOG_KEY) -> str:
    return str(log.head(size).signed([by], size))


def rewritten(at: int) -> ExportedLog:
    log = LOG.copy()
    log.alter(at)
    log.chain_anew()
    return log


def read(follower: LogFollower, count: int) -> list[FailedProof]:
    found = [follower.add(leaf) for leaf in LEAVES[follower.read : follower.read + count]]
    return [one for one in found if one is not None]


@given(st.lists(st.integers(1, SIZE), min_size=1, max_size=8))
def test_heads_fit_in_whatever_order_they_and_the_events_come(sizes: list[int]) -> None:
    follower = LogFollower(KEYS)
    for size in sizes:
        assert follower.show(head(size)) is None
        assert read(follower, 3) == []
    assert read(follower, SIZE) == []
    assert follower.size == max(sizes)
    assert follower.head is not None
    assert follower.head.head == LOG.head(max(sizes))


@pytest.mark.parametrize("first", [5, SIZE])
def test_a_head_of_other_events_than_were_read_is_evidence(first: int) -> None:
    follower = LogFollower(KEYS)
    follower.show(head(3))
    shown = head(10, rewritten(5))
    read(follower, first)
    failed = follower.show(shown)
    found = [failed] if failed is not None else read(follower, SIZE)
    assert found == [FailedProof(reason=Reason.OTHER_EVENTS, held=head(3), shown=shown)]
    assert follower.size == 3
    read(follower, SIZE)
    assert follower.show(head(SIZE)) is None
    assert follower.size == SIZE


def test_two_heads_of_a_size_contradict_one_another_also_before_their_events_are_read() -> None:
    other = head(10, rewritten(5))
    follower = LogFollower(KEYS)
    follower.show(head(10))
    contradiction = FailedProof(reason=Reason.CONTRADICTION, held=head(10), shown=other)
    assert follower.show(other) == contradiction
    read(follower, SIZE)
    assert follower.show(other) == contradiction
    assert follower.show(head(10)) is None


def test_a_head_of_an_unknown_key_is_told_and_what_is_no_head_is_refused() -> None:
    follower = LogFollower(KEYS)
    forged = head(1, by=SigningKey("log.example", bytes(32)))
    assert follower.show(forged) == FailedProof(reason=Reason.BAD_SIGNATURE, held=None, shown=forged)
    with pytest.raises(MalformedNote):
        follower.show("no note")


def test_a_follower_goes_on_from_what_was_kept_of_it() -> None:
    follower = LogFollower(KEYS)
    read(follower, 13)
    follower.show(head(9))
    follower = LogFollower(KEYS, size=follower.size, hashes=follower.hashes)
    assert follower.read == 9
    assert read(follower, SIZE) == []
    assert follower.show(head(4)) is None
    assert follower.show(head(SIZE)) is None
    assert follower.size == SIZE
