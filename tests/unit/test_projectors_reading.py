"""The reader's rule over a batch, as the projector applies it from a checkpoint on."""

import pytest

from events.readers_rule import NO_ONE
from events.record import NewRecord
from projectors.checkpoints import Checkpoint
from projectors.errors import Broken
from projectors.reading import sift
from tests.scribe import LOG_ID, Scribe

BEGINNING = Checkpoint(next_offset=0, standing=NO_ONE, log_id=LOG_ID, void_records=0)


def test_what_is_written_under_the_last_fence_counts() -> None:
    log = Scribe()
    log.fence()
    log.team()
    sifted = sift(BEGINNING, log.records)
    assert [record.offset for record in sifted.counting] == [1]
    assert sifted.end == Checkpoint(next_offset=2, standing=log.standing, log_id=LOG_ID, void_records=0)


def test_what_an_older_writer_still_writes_is_passed_over_and_counted() -> None:
    log = Scribe()
    log.fence(writer="first")
    log.team()
    log.fence(writer="second")
    late = log.void(log.records[1], writer="first")
    sifted = sift(BEGINNING, log.records)
    assert sifted.void == [late]
    assert (sifted.end.void_records, sifted.end.next_offset) == (1, 4)


def test_a_fence_whose_term_is_not_higher_changes_nothing() -> None:
    log = Scribe()
    standing = log.fence(term=7)
    log.fence(term=7, writer="rival")
    team = log.team()
    sifted = sift(BEGINNING, log.records)
    assert sifted.end.standing == standing
    assert [record.key for record in sifted.counting] == [team.encode()]
    assert sifted.end.void_records == 1


def test_what_carries_no_stamps_is_void() -> None:
    log = Scribe()
    log.fence()
    log.write(NewRecord(key=b"\xff", value=b"rubbish", headers={"term": b"one"}))
    assert len(sift(BEGINNING, log.records).void) == 1


def test_before_the_first_fence_nothing_counts() -> None:
    log = Scribe()
    log.counting(NewRecord(key=None, value=b"{}", headers={}))
    assert sift(BEGINNING, log.records).counting == []


def test_records_before_the_checkpoint_are_left_out() -> None:
    log = Scribe()
    log.fence()
    log.team()
    halfway = sift(BEGINNING, log.records).end
    log.team()
    again = sift(halfway, log.records)
    assert [record.offset for record in again.counting] == [2]
    assert sift(again.end, log.records).end == again.end


def test_a_batch_ends_the_same_wherever_it_is_cut() -> None:
    log = Scribe()
    log.fence()
    log.void(log.records[0])
    log.team()
    log.fence(writer="second")
    log.void(log.records[2])
    log.team()
    whole = sift(BEGINNING, log.records)
    for cut in range(len(log.records) + 1):
        first = sift(BEGINNING, log.records[:cut])
        second = sift(first.end, log.records[cut:])
        assert second.end == whole.end
        assert first.counting + second.counting == whole.counting


def test_a_fence_of_another_log_breaks_the_partition() -> None:
    log = Scribe()
    log.fence()
    log.fence(log_id="0190a5d0-0000-7000-8000-00000000dead")
    with pytest.raises(Broken, match="another log") as broken:
        sift(BEGINNING, log.records)
    assert broken.value.offset == 1


def test_a_fence_of_another_log_that_does_not_count_is_void() -> None:
    log = Scribe()
    log.fence(term=5)
    log.fence(term=5, log_id="0190a5d0-0000-7000-8000-00000000dead")
    assert sift(BEGINNING, log.records).end.void_records == 1
