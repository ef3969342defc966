"""Batches: all of their commands, in order, as one record's events; or none of them."""

import copy
import json
from typing import Any

import pytest

from command_api.decider import judging
from command_api.decider.judging import MOST_TEXTS
from command_api.decisions.commands import MAX_MEMBERS
from command_api.decisions.decide import decide
from events import envelope
from events.envelope import Envelope
from events.json_text import Json
from events.outcome import Outcome
from events.pattern import Pattern, stream_of
from tests.desk import (
    TEAM,
    Desk,
    batch,
    command_id,
    create_team,
    edit,
    on_pattern,
    only,
    pattern_id,
    record_pattern,
)

HALF = "x" * 600_000
"""More than half of what a pattern may have; six of them are too much for one batch."""


def desk_with(*commands: dict[str, Any]) -> Desk:
    """A team, patterns 1 and 2, and what happened then."""
    desk = Desk()
    desk.decide(create_team(), record_pattern(1, 1, "a", x=1, y=1), record_pattern(2, 2, "b", x=1), *commands)
    return desk


def archive(pattern: int = 1) -> dict[str, Any]:
    return on_pattern("archive_pattern", 0, pattern)


def fields(desk: Desk, pattern: int = 1) -> dict[str, Json]:
    state = desk.working.state((TEAM, stream_of(pattern_id(pattern))))
    assert isinstance(state, Pattern)
    return dict(state.fields)


def told(desk: Desk, *members: dict[str, Any], number: int = 9) -> Outcome:
    return only(desk.decide(batch(number, *members)))


def written(desk: Desk) -> list[Envelope]:
    """The events of what was decided last."""
    return [envelope.decode(record) for record in desk.written[-1].events]


# ---------------------------------------------------------------- all of them


def test_a_batch_is_applied_in_order_and_its_events_say_that_they_belong_together() -> None:
    desk = desk_with()
    answer = told(desk, edit(0, 1, x=2), record_pattern(0, 3, "c"), edit(0, 1, 2, x=3), archive(2))
    assert answer.status == "accepted"
    assert answer.answer == {
        "sequence": 7,
        "outcomes": [
            {"status": "accepted", "pattern_id": pattern_id(1), "version": 2, "sequence": 4},
            {"status": "accepted", "pattern_id": pattern_id(3), "version": 1, "sequence": 5},
            {"status": "accepted", "pattern_id": pattern_id(2), "version": 2, "sequence": 6},
            {"status": "accepted", "pattern_id": pattern_id(2), "version": 3, "sequence": 7},
        ],
    }
    events = written(desk)
    assert [(event.command_index, event.command_count) for event in events] == [(n, 4) for n in range(4)]
    assert {event.command_id for event in events} == {command_id(9)}
    assert len({(event.command_hash, event.occurred_at, event.recorded_at) for event in events}) == 1
    assert [event.sequence for event in events] == [4, 5, 6, 7]
    hashes = [envelope.record_hash(record) for record in desk.written[-1].events]
    assert [event.previous_hash for event in events[1:]] == hashes[:-1]


def test_a_team_and_its_first_patterns_are_made_together() -> None:
    desk = Desk()
    setting = {"type": "set_merging", "policy": "reject"}
    answer = told(desk, create_team(), setting, record_pattern(0, 1, "a"))
    assert answer.status == "accepted"
    assert answer.answer["outcomes"][:2] == [
        {"status": "accepted", "version": 1, "sequence": 1},
        {"status": "accepted", "version": 2, "sequence": 2},
    ]
    types = [event.type for event in written(desk)]
    assert types == ["team.created.v2", "team.merging_changed.v1", "pattern.recorded.v1"]


def test_a_command_of_a_batch_is_decided_on_what_those_before_it_did() -> None:
    desk = desk_with()
    swapped = told(desk, edit(0, 1, name="c"), edit(0, 1, 2, name="a"), edit(0, command_id(9), name="b"))
    assert swapped.status == "accepted"
    assert (fields(desk)["name"], fields(desk, 2)["name"]) == ("b", "a")
    handed_over = told(desk, archive(1), record_pattern(0, 3, "b"), number=10)
    assert handed_over.status == "accepted"
    policy = {"type": "set_merging", "policy": "last_writer_wins"}
    overwriting = told(desk, policy, edit(0, 1, 2, x=8), edit(0, 1, 2, x=9), number=11)
    assert [one["status"] for one in overwriting.answer["outcomes"]] == ["accepted", "merged", "merged"]


def test_a_batch_that_is_merged_with_others_says_so_and_which_of_its_commands_were() -> None:
    desk = desk_with(edit(3, 1, y=2))
    answer = told(desk, edit(0, 1, 2, x=2), edit(0, 1, x=2))
    assert answer.status == "merged"
    assert [one["status"] for one in answer.answer["outcomes"]] == ["accepted", "merged"]


def test_the_end_of_a_conflict_may_be_one_of_a_batch() -> None:
    desk = desk_with(edit(3, 1, x=2), edit(4, 1, x=3))
    resolving = on_pattern("resolve_conflict", 0, 1, conflict_id=command_id(4), rest="mine")
    answer = told(desk, resolving, edit(0, command_id(9), x=4), archive())
    assert answer.status == "accepted"
    assert fields(desk)["x"] == 4
    abandoning = on_pattern("abandon_conflict", 0, 1, conflict_id=command_id(4))
    assert told(desk, abandoning, number=10).answer["failed"]["code"] == "conflict_not_open"


# ---------------------------------------------------------------- the batch's own id as a base


def test_the_batchs_own_id_stands_for_what_it_did_before() -> None:
    desk = desk_with(edit(3, 1, y="foreign"))
    answer = told(
        desk,
        edit(0, 1, x=2),
        edit(0, 1, 2, x=2),
        edit(0, command_id(9), x=3),
        edit(0, command_id(9), x=4, z=4),
        edit(0, command_id(9), 2, x=3),
    )
    statuses = [one["status"] for one in answer.answer["outcomes"]]
    assert statuses == ["merged", "accepted", "merged", "merged", "accepted"]
    assert (fields(desk)["x"], fields(desk)["y"], fields(desk, 2)["x"]) == (4, "foreign", 3)
    own = [json.loads(event.data)["own"] for event in written(desk)]
    assert own == [{}, {}, {"x": 3}, {"x": 4}, {}]


def test_a_pattern_is_recorded_edited_and_put_away_in_one_batch() -> None:
    desk = desk_with()
    answer = told(
        desk,
        record_pattern(0, 3, "c", x=1),
        edit(0, command_id(9), 3, x=2),
        {**archive(3), "base_command": command_id(9)},
        on_pattern("restore_pattern", 0, 3, base_command=command_id(9)),
    )
    assert [one["version"] for one in answer.answer["outcomes"]] == [1, 2, 3, 4]


def test_a_command_of_a_batch_builds_on_those_before_it_whether_it_says_so_or_not() -> None:
    desk = desk_with(edit(3, 1, y=5))
    assert told(desk, edit(0, 1, x=2), edit(0, 1, x=3), edit(0, 1, x=4)).status == "merged"
    assert fields(desk)["x"] == 4
    assert desk.decide(edit(20, command_id(9), x=5)).outcomes[-1][1].status == "merged"


def test_a_command_of_a_batch_cannot_have_seen_what_the_batch_itself_makes() -> None:
    failed = told(desk_with(edit(3, 1, x=9)), edit(0, 2, y=2), edit(0, 3, x=3)).answer["failed"]
    assert (failed["index"], failed["code"]) == (1, "unknown_base_version")


def test_the_batchs_own_id_is_no_base_where_it_has_done_nothing_yet() -> None:
    answer = told(desk_with(), edit(0, 1, 2, x=2), edit(0, command_id(9), x=2))
    assert answer.answer["failed"] == {
        "index": 1,
        "code": "unknown_base_command",
        "detail": answer.answer["failed"]["detail"],
        "base_command": command_id(9),
    }


# ---------------------------------------------------------------- or none of them

REFUSED: list[tuple[dict[str, Any], dict[str, Json]]] = [
    (record_pattern(0, 3, "a"), {"code": "name_taken"}),
    (record_pattern(0, 1, "c"), {"code": "pattern_exists"}),
    (edit(0, 1, 3, x=1), {"code": "unknown_pattern"}),
    (edit(0, 9, x=1), {"code": "unknown_base_version"}),
    (edit(0, command_id(7), x=1), {"code": "unknown_base_command", "base_command": command_id(7)}),
    (edit(0, command_id(4), x=1), {"code": "depends_on_refused", "base_command": command_id(4)}),
    (edit(0, 1, x=3), {"code": "edit_conflict", "conflict": {"current_version": 2, "fields": ["x"]}}),
    (
        {**edit(0, 1, x=3), "policy": "reject"},
        {"code": "stale_edit", "conflict": {"current_version": 2, "fields": ["x"]}},
    ),
    ({**archive(), "base_version": 1}, {"code": "pattern_changed", "current_version": 2}),
    (on_pattern("resolve_conflict", 0, 1, conflict_id=command_id(4)), {"code": "conflict_not_open"}),
    ({"type": "create_team", "name": "Again"}, {"code": "team_exists"}),
    (edit(0, 2, huge="x" * 1_100_000), {"code": "too_large"}),
]


@pytest.mark.parametrize(("member", "failed"), REFUSED)
@pytest.mark.parametrize("index", [0, 1, 2])
def test_one_command_that_is_refused_undoes_the_whole_batch(
    member: dict[str, Any], failed: dict[str, Json], index: int
) -> None:
    desk = desk_with(edit(3, 1, x=2), record_pattern(4, 4, "a"))
    before = copy.deepcopy(desk.working.draft)
    good = [record_pattern(0, 5, "c"), edit(0, 1, 2, x=2, name="d")]
    answer = told(desk, *good[:index], member, *good[index:])
    assert desk.written[-1].events == []
    assert (answer.status, answer.answer["code"]) == ("rejected", "batch_refused")
    detail = answer.answer["failed"]["detail"]
    assert answer.answer["failed"] == {"index": index, **failed, "detail": detail}
    assert answer.answer["detail"] == f"command {index} of the batch: {failed['code']}: {detail}"
    del desk.working.draft.answers[TEAM, command_id(9)]
    assert desk.working.draft == before
    assert told(desk, *good, number=10).status == "accepted"


def test_what_depends_on_a_refused_batch_is_refused() -> None:
    desk = desk_with()
    told(desk, edit(0, 1, x=2), record_pattern(0, 1, "c"))
    assert only(desk.decide(edit(3, command_id(9), x=3))).answer["code"] == "depends_on_refused"


def test_a_batch_whose_decision_fails_is_undone_and_blocks_nothing_behind_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def raising(view: Any, command: Any, sender: Any) -> Any:
        if command.type == "archive_pattern":
            raise ZeroDivisionError
        return decide(view, command, sender)

    desk = desk_with()
    monkeypatch.setattr(judging, "decide", raising)
    first, second = desk.answers(batch(9, edit(0, 1, x=2), archive()), edit(10, 1, x=3))
    assert first.answer["code"] == "internal_error"
    assert second.status == "accepted"
    assert fields(desk)["x"] == 3


# ---------------------------------------------------------------- how large


def test_a_batch_may_have_500_commands() -> None:
    desk = desk_with()
    answer = told(desk, *(record_pattern(0, number, f"n{number}") for number in range(10, 10 + MAX_MEMBERS)))
    assert (answer.status, len(answer.answer["outcomes"])) == ("accepted", MAX_MEMBERS)
    assert written(desk)[-1].command_count == MAX_MEMBERS


def test_a_batch_whose_events_take_too_much_is_refused_as_a_whole() -> None:
    desk = desk_with()
    large = [record_pattern(0, number, f"n{number}", text=HALF) for number in range(10, 16)]
    answer = told(desk, *large)
    assert (answer.status, answer.answer["code"]) == ("rejected", "too_large")
    assert "failed" not in answer.answer
    assert desk.written[-1].events == []
    assert told(desk, *large[:5], number=10).status == "accepted"


def test_a_batch_merges_so_many_texts_with_other_edits_and_no_more() -> None:
    desk = desk_with()
    for number in range(10, 10 + MOST_TEXTS + 1):
        desk.decide(record_pattern(number, number, f"n{number}"), edit(100 + number, 1, number, solution="s"))
    merging = [edit(0, 1, number, solution="s") for number in range(10, 10 + MOST_TEXTS + 1)]
    assert told(desk, *merging).answer["code"] == "too_large"
    assert told(desk, *merging[1:], number=300).status == "merged"


# ---------------------------------------------------------------- told again


@pytest.mark.parametrize(
    "members",
    [
        [create_team(), record_pattern(0, 1, "a"), edit(0, command_id(9), x=1)],
        [create_team(), record_pattern(0, 1, "a"), edit(0, 1, x=1), edit(0, 1, y=1), archive()],
        [create_team(), {"type": "set_merging", "policy": "reject"}],
    ],
)
def test_a_batch_that_has_its_events_gets_the_outcome_that_was_lost(
    members: list[dict[str, Any]],
) -> None:
    desk = Desk()
    assert told(desk, *members).status in ("accepted", "merged")
    later = desk.restarted(answered=0)
    assert later.decide(batch(9, *members)).events == []
    assert later.answers_written() == desk.answers_written()


def test_what_was_based_on_a_batch_goes_on_after_a_restart() -> None:
    desk = desk_with(batch(9, edit(0, 1, x=2), edit(0, 1, 2, x=2)))
    taken_over = desk.restarted(answered=3)
    assert only(taken_over.decide(batch(9, edit(0, 1, x=2), edit(0, 1, 2, x=2)))).status == "accepted"
    for later in (desk.restarted(), taken_over):
        assert only(later.decide(edit(10, command_id(9), x=3))).status == "accepted"
        assert only(later.decide(edit(11, command_id(9), 2, x=3))).status == "accepted"
