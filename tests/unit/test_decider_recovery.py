from command_api.decider.recovery import Orphans, TailEvent
from events.envelope import Envelope
from events.record import Record


def tail_event(offset: int, command_offset: int) -> TailEvent:
    record = Record(partition=0, offset=offset, timestamp_ms=0, key=None, value=None, headers={})
    envelope = Envelope.__new__(Envelope)
    return TailEvent(record, envelope, command_offset)


def test_without_orphans_everything_known_is_answered() -> None:
    assert Orphans([], 0).owed_from(0, known_end=9) == 9


def test_answers_are_owed_from_the_first_orphan_on() -> None:
    orphans = Orphans([tail_event(4, 7), tail_event(5, 8), tail_event(6, 8)], 7)
    assert orphans.owed_from(7, known_end=9) == 4
    assert orphans.owed_from(8, known_end=9) == 5
    assert orphans.owed_from(9, known_end=9) == 9
    assert len(orphans.of(8)) == 2


def test_events_of_answered_commands_are_no_orphans() -> None:
    assert len(Orphans([tail_event(4, 7), tail_event(5, 8)], 8)) == 1


def test_an_orphan_is_forgotten_once_its_command_is_answered() -> None:
    orphans = Orphans([tail_event(4, 7), tail_event(5, 8)], 7)
    orphans.answered_up_to(8)
    assert orphans.of(7) == []
    assert orphans.owed_from(0, known_end=9) == 5
