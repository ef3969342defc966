"""The reader's rule over a batch of one partition, before anything in it is decoded."""

from collections.abc import Sequence
from dataclasses import dataclass

from events.readers_rule import Standing, Verdict, judge
from events.record import LOG_ID, Record
from projectors.checkpoints import Checkpoint
from projectors.errors import Broken


@dataclass(frozen=True, kw_only=True, slots=True)
class Sifted:
    """What the rule made of a batch: what counts, what is void, and the checkpoint after it all."""

    counting: list[Record]
    void: list[Record]
    end: Checkpoint


def sift(at: Checkpoint, records: Sequence[Record]) -> Sifted:
    """Apply the rule from a checkpoint on; records before it, which come twice, are left out.

    Raise `Broken` at a fence of another log.
    """
    standing, next_offset = at.standing, at.next_offset
    counting, void = [], []
    for record in records:
        if record.offset < next_offset:
            continue
        verdict, standing = judge(standing, record)
        match verdict:
            case Verdict.COUNTS:
                counting.append(record)
            case Verdict.VOID:
                void.append(record)
            case Verdict.FENCE:
                _check_log(record, at.log_id)
        next_offset = record.offset + 1
    return Sifted(counting=counting, void=void, end=_moved(at, next_offset, standing, len(void)))


def pass_all(at: Checkpoint, records: Sequence[Record]) -> Sifted:
    """The same of a topic to which anybody may append: every record from the checkpoint on counts."""
    counting = [record for record in records if record.offset >= at.next_offset]
    next_offset = counting[-1].offset + 1 if counting else at.next_offset
    return Sifted(counting=counting, void=[], end=_moved(at, next_offset, at.standing, 0))


def _check_log(fence: Record, log_id: str) -> None:
    found = fence.headers.get(LOG_ID, b"")
    if found != log_id.encode():
        raise Broken(fence.offset, f"a fence of another log, {found!r}")


def _moved(at: Checkpoint, next_offset: int, standing: Standing, void: int) -> Checkpoint:
    return Checkpoint(
        next_offset=next_offset, standing=standing, log_id=at.log_id, void_records=at.void_records + void
    )
