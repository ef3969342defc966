"""What the outcome of a refused command tells of its sender and of what was wanted, for the audit."""

from events.outcome import RefusedCommand
from events.pattern import stream_of
from tests.desk import Desk, batch, create_team, edit, on_pattern, pattern_id, record_pattern

MADE_AT = "2025-10-09T08:53:20.000Z"
"""When the commands' ids were made."""


def test_a_refusal_tells_who_wanted_what_on_which_stream() -> None:
    desk = Desk()
    *_, taken, again = desk.answers(
        create_team(), record_pattern(1, 1, "a"), record_pattern(2, 2, "a"), create_team(3)
    )
    told = {"actor": "ann", "request_id": "r", "occurred_at": MADE_AT}
    stream = stream_of(pattern_id(2))
    assert taken.refused == RefusedCommand(command_type="record_pattern", stream=stream, **told)
    assert again.refused == RefusedCommand(command_type="create_team", stream="team", **told)


def test_a_refusal_tells_the_time_that_its_sender_claimed() -> None:
    claimed = {"occurred_at": "2025-10-09T10:00:00+02:00"}
    (answer,) = Desk().answers(on_pattern("delete_pattern", 1, 1, **claimed))
    assert answer.refused is not None
    assert answer.refused.occurred_at == "2025-10-09T08:00:00.000Z"


def test_a_refused_batch_tells_of_the_command_by_which_it_failed() -> None:
    desk = Desk()
    first = [create_team(), record_pattern(1, 1, "a")]
    *_, answer = desk.answers(*first, batch(2, edit(0, 1, x=1), record_pattern(0, 2, "a")))
    assert answer.refused is not None
    assert (answer.refused.command_type, answer.refused.stream) == ("batch", stream_of(pattern_id(2)))


def test_another_body_under_an_id_tells_of_its_own_sender() -> None:
    desk = Desk()
    desk.answers(create_team(), record_pattern(1, 1, "a"))
    headers = {"actor": b"bob", "request_id": b"r-2"}
    (reused,) = desk.answers(record_pattern(1, 2, "b"), headers=headers)
    assert (reused.repeat, reused.answer["code"]) == (True, "command_id_reused")
    assert reused.refused is not None
    assert (reused.refused.actor, reused.refused.stream) == ("bob", stream_of(pattern_id(2)))


def test_what_is_told_again_and_what_is_accepted_tell_nothing_of_it() -> None:
    desk = Desk()
    taken = record_pattern(2, 2, "a")
    answers = desk.answers(create_team(), record_pattern(1, 1, "a"), taken, taken)
    assert [answer.refused is None for answer in answers] == [True, True, False, True]


def test_what_no_command_could_be_read_of_tells_of_its_sender_alone() -> None:
    (answer,) = Desk().answers(b"rubbish")
    assert answer.refused == RefusedCommand(actor="ann", request_id="r")


def test_a_sender_that_cannot_be_stored_is_refused_and_not_told() -> None:
    (answer,) = Desk().answers(create_team(), headers={"actor": b"a\x00", "request_id": b"r"})
    assert (answer.answer["code"], answer.refused) == ("malformed_command", RefusedCommand())


def test_what_is_told_of_a_sender_has_an_end() -> None:
    (answer,) = Desk().answers(
        b"rubbish", headers={"actor": b"a" * 1_000_000, "request_id": b"r" * 1_000_000}
    )
    assert answer.refused == RefusedCommand(actor="a" * 128, request_id="r" * 128)
