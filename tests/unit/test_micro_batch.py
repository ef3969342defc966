import json
from typing import Any

import pytest

from command_api.decider import judging, micro_batch
from command_api.decider.answering import size_of
from command_api.decider.micro_batch import decide_batch
from command_api.decider.requests import read_request
from command_api.decisions.decide import decide
from events import envelope, outcome
from tests.desk import (
    HERE,
    NO_ORPHANS,
    NOW,
    Desk,
    batch,
    code_of,
    command_id,
    create_team,
    edit,
    on_pattern,
    only,
    pattern_id,
    record_pattern,
)


def test_accepted_commands_become_chained_events() -> None:
    decided = Desk().decide(create_team(), record_pattern(1, 1, "a"))
    first, second = (envelope.decode(record) for record in decided.events)
    assert (first.sequence, second.sequence) == (1, 2)
    assert second.previous_hash == envelope.record_hash(decided.events[0])
    assert [answer.status for _, answer in decided.outcomes] == ["accepted", "accepted"]
    assert decided.outcomes[1][1].answer == {"pattern_id": pattern_id(1), "version": 1, "sequence": 2}


def test_each_command_gets_one_outcome_in_order() -> None:
    decided = Desk().decide(create_team(), b"{", record_pattern(1, 1, "a"))
    assert [offset for offset, _ in decided.outcomes] == [0, 1, 2]
    assert [answer.status for _, answer in decided.outcomes] == ["accepted", "rejected", "accepted"]


def test_a_name_is_free_again_in_the_same_batch_and_taken_again() -> None:
    desk = Desk()
    desk.decide(create_team(), record_pattern(1, 1, "a"))
    taken = desk.decide(record_pattern(2, 2, "a"))
    assert code_of(taken) == "name_taken"
    handed_over = desk.decide(on_pattern("archive_pattern", 3, 1), record_pattern(4, 2, "a"))
    assert [answer.status for _, answer in handed_over.outcomes] == ["accepted", "accepted"]
    assert code_of(desk.decide(on_pattern("restore_pattern", 5, 1))) == "name_taken"


def test_edits_of_one_batch_merge_with_one_another_and_with_the_version_that_they_began_with() -> None:
    desk = Desk()
    desk.decide(create_team(), record_pattern(1, 1, "a", solution="1\n2\n3\n4\n5"))
    edits = [
        edit(number, 1, solution=solution)
        for number, solution in ((2, "1!\n2\n3\n4\n5"), (3, "1\n2\n3!\n4\n5"), (4, "1\n2\n3\n4\n5!"))
    ]
    decided = desk.decide(*edits)
    assert [answer.status for _, answer in decided.outcomes] == ["accepted", "merged", "merged"]
    assert json.loads(decided.events[-1].value or b"")["set"] == {"solution": "1!\n2\n3!\n4\n5!"}


@pytest.mark.parametrize(
    ("made_at", "code"),
    [
        (NOW - micro_batch.MAX_COMMAND_AGE_MS - 1, "too_old"),
        (NOW - micro_batch.MAX_COMMAND_AGE_MS, None),
        (NOW + micro_batch.MAX_COMMAND_AHEAD_MS, None),
        (NOW + micro_batch.MAX_COMMAND_AHEAD_MS + 1, "in_future"),
    ],
)
def test_a_command_is_judged_by_the_age_of_its_id(made_at: int, code: str | None) -> None:
    command = {**create_team(), "command_id": command_id(1, made_at)}
    assert only(Desk().decide(command)).answer.get("code") == code


@pytest.mark.parametrize(
    ("command", "options"),
    [
        (b"", {}),
        (b"not json", {}),
        (create_team(), {"headers": {}}),
        (create_team(), {"headers": {"actor": b"\xff", "request_id": b"r"}}),
        (create_team(), {"key": "no team"}),
    ],
)
def test_a_malformed_record_is_refused_without_an_id(
    command: dict[str, Any] | bytes, options: dict[str, Any]
) -> None:
    answer = only(Desk().decide(command, **options))
    assert (answer.status, answer.command_id) == ("rejected", None)


def test_poison_gets_an_outcome_and_blocks_nothing_behind_it(monkeypatch: pytest.MonkeyPatch) -> None:
    real = decide

    def raising(view: Any, command: Any, sender: Any) -> Any:
        if getattr(command, "pattern_id", None) == pattern_id(1):
            raise ZeroDivisionError
        return real(view, command, sender)

    monkeypatch.setattr(judging, "decide", raising)
    decided = Desk().decide(create_team(), record_pattern(1, 1, "a"), record_pattern(2, 2, "a"))
    assert [answer.status for _, answer in decided.outcomes] == ["accepted", "rejected", "accepted"]
    assert decided.outcomes[1][1].answer["code"] == "internal_error"


def test_a_command_that_has_its_events_only_gets_its_outcome() -> None:
    commands = (
        create_team(),
        record_pattern(1, 1, "a"),
        edit(2, 1, x=1),
        edit(3, 1, y=1),
        edit(4, 1, x=2),
        on_pattern("resolve_conflict", 5, 1, conflict_id=command_id(4), rest="mine"),
        edit(6, command_id(3), y=2),
        edit(7, command_id(6), y=3),
        edit(8, command_id(5), x=4),
        edit(9, 1, x=5),
        on_pattern("abandon_conflict", 10, 1, conflict_id=command_id(9)),
        {"type": "set_merging", "command_id": command_id(11), "policy": "reject"},
    )
    desk = Desk()
    statuses = [answer.status for answer in desk.answers(*commands)]
    later = desk.restarted(answered=0)
    assert later.decide(*commands).events == []
    assert later.answers_written() == desk.answers_written()
    assert statuses[3:10] == ["merged", "conflict", "accepted", "merged", "merged", "merged", "conflict"]
    assert {*statuses[:3], *statuses[10:]} == {"accepted"}


def test_a_refusal_whose_reason_was_lost_with_its_decider_stays_a_refusal() -> None:
    commands = (
        create_team(),
        record_pattern(1, 1, "a"),
        record_pattern(2, 2, "a"),
        record_pattern(3, 3, "b"),
    )
    first = Desk()
    first.decide(*commands)
    desk = first.restarted(answered=0)
    again = desk.decide(*commands)
    assert [answer.status for _, answer in again.outcomes] == ["accepted", "accepted", "rejected", "accepted"]
    assert again.outcomes[2][1].answer["code"] == "interrupted"
    assert only(desk.decide(record_pattern(2, 2, "a"))).repeat


def test_a_batch_ends_when_its_records_are_large_enough_and_loses_none() -> None:
    desk = Desk()
    requests = [
        read_request(desk.record(each), HERE)
        for each in (create_team(), record_pattern(1, 1, "a"), record_pattern(2, 2, "b"))
    ]
    decided = decide_batch(requests, desk.working, HERE, NO_ORPHANS, lambda size: size > 1)
    assert len(decided.outcomes) == 1
    assert len(decided.events) == 1


def test_a_conflict_names_the_fields_and_its_place_in_the_log() -> None:
    decided = Desk().decide(create_team(), record_pattern(1, 1, "a"), edit(2, 1, x=1), edit(3, 1, x=2, y=2))
    conflict = decided.outcomes[3][1]
    assert conflict.status == "conflict"
    detail = conflict.answer["detail"]
    assert conflict.answer == {
        "code": "edit_conflict",
        "detail": detail,
        "conflict": {"conflict_id": command_id(3), "current_version": 2, "fields": ["x"]},
        "pattern_id": pattern_id(1),
        "version": 3,
        "sequence": 4,
    }
    written = envelope.decode(decided.events[3])
    assert (written.type, written.version, written.sequence) == ("pattern.conflict_detected.v1", 3, 4)


def test_an_edit_that_is_not_to_be_merged_is_refused_without_an_event() -> None:
    decided = Desk().decide(
        create_team(),
        record_pattern(1, 1, "a"),
        edit(2, 1, x=1),
        {**edit(3, 1, x=2, y=2), "policy": "reject"},
    )
    refused = decided.outcomes[3][1]
    assert (refused.status, refused.answer["code"]) == ("rejected", "stale_edit")
    assert refused.answer["conflict"] == {"current_version": 2, "fields": ["x"]}
    assert len(decided.events) == 3


def test_what_was_resolved_after_somebody_else_edited_is_told_as_merged() -> None:
    resolving = on_pattern("resolve_conflict", 5, 1, conflict_id=command_id(3), rest="mine")
    decided = Desk().decide(
        create_team(),
        record_pattern(1, 1, "a"),
        edit(2, 1, x=1),
        edit(3, 1, x=2),
        edit(4, 3, y=1),
        resolving,
    )
    assert decided.outcomes[-1][1].status == "merged"


LONG = [f"{number:03}".ljust(255, "\u00e9") for number in range(900)]


def test_the_size_of_an_answer_is_never_understated() -> None:
    many = dict.fromkeys(LONG, 1)
    clashing = edit(3, 1, **dict.fromkeys(LONG, 3))
    for refused in (
        clashing,
        {**clashing, "policy": "reject"},
        batch(3, clashing),
        batch(3, {**clashing, "policy": "reject"}),
    ):
        decided = Desk().decide(create_team(), record_pattern(1, 1, "a"), edit(2, 1, **many), refused)
        answer = decided.outcomes[-1][1]
        assert answer.status in ("conflict", "rejected")
        assert size_of(answer) >= outcome.encode(answer, command_offset=2**53, events_end=2**53).size
