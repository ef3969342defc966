"""What is kept of where commands came from, out of a topic without fences."""

from datetime import UTC, datetime

import pytest

from events.readers_rule import NO_ONE
from events.record import Headers, Record
from projectors.batches import Batches
from projectors.checkpoints import Checkpoint
from projectors.origins import Origins, OriginsWork
from tests.scribe import LOG_ID

BEGINNING = Checkpoint(next_offset=5, standing=NO_ONE, log_id=LOG_ID, void_records=0)


def command(offset: int, **headers: bytes) -> Record:
    told: Headers = {"actor": b"ada", **headers}
    return Record(partition=0, offset=offset, timestamp_ms=1500, key=b"k", value=b"rubbish", headers=told)


def batches() -> Batches[OriginsWork]:
    return Batches(Origins(topic="commands"), 3, BEGINNING)


def test_every_record_counts_though_none_is_under_a_fence() -> None:
    batch = batches().take(
        [command(5, address=b"::1", user_agent=b"cli"), command(6, address=b"::2", credential=b"key:1")]
    )
    moment = datetime(1970, 1, 1, 0, 0, 1, 500_000, UTC)
    assert batch.work.rows == [
        (3, 5, moment, "::1", "cli", None),
        (3, 6, moment, "::2", None, "key:1"),
    ]
    assert (batch.void, batch.end.next_offset, batch.end.standing) == ([], 7, NO_ONE)


def test_records_that_tell_of_no_origin_move_the_checkpoint_alone() -> None:
    batch = batches().take([command(5), command(6)])
    assert (batch.work.rows, batch.end.next_offset) == ([], 7)


def test_records_before_the_checkpoint_are_left_out() -> None:
    batch = batches().take([command(4, address=b"::1")])
    assert (batch.work.rows, batch.end) == ([], BEGINNING)


@pytest.mark.parametrize(
    ("header", "kept"),
    [(b"", None), (b"\xff\x00", "\ufffd"), (b"a" * 300, "a" * 256), (b"term", "term")],
)
def test_whatever_stands_there_is_kept_as_far_as_it_can_be(header: bytes, kept: str | None) -> None:
    (row,) = batches().take([command(5, user_agent=header, term=b"1", kind=b"fence")]).work.rows
    assert row[4] == kept
