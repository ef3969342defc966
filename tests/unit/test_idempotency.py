"""A command that comes again, at once or weeks later, gets its first outcome and is applied once."""

import json
from dataclasses import replace

import pytest

from events.outcome import Outcome
from tests.desk import (
    NOW,
    Desk,
    batch,
    code_of,
    create_team,
    edit,
    only,
    record_pattern,
)

DAY_MS = 24 * 60 * 60 * 1000
BEFORE = (create_team(), record_pattern(1, 1, "a"), edit(2, 1, x=1))
FIRST_OUTCOMES = {
    "accepted": edit(9, 2, y=1),
    "merged": edit(9, 1, y=1),
    "conflict": edit(9, 1, x=2),
    "rejected": record_pattern(9, 2, "a"),
    "accepted batch": batch(9, edit(9, 2, y=1), record_pattern(9, 2, "b")),
    "rejected batch": batch(9, edit(9, 2, y=1), record_pattern(9, 2, "a")),
}
each_outcome = pytest.mark.parametrize("told", FIRST_OUTCOMES)
"""By what the first one ends in."""


def begun(told: str) -> tuple[Desk, Outcome]:
    """A desk that has answered the command, and its outcome."""
    desk = Desk()
    first = desk.answers(*BEFORE, FIRST_OUTCOMES[told])[-1]
    assert first.status == told.removesuffix(" batch")
    return desk, first


@each_outcome
def test_a_command_that_is_sent_twice_at_once_is_applied_once(told: str) -> None:
    desk, (command, once) = Desk(), (FIRST_OUTCOMES[told], begun(told)[0].written[0])
    decided = desk.decide(*BEFORE, command, command)
    assert decided.events == once.events
    first, again = (answer for _, answer in decided.outcomes[-2:])
    assert again == replace(first, repeat=True)


@each_outcome
@pytest.mark.parametrize("days", [0, 29, 31, 36])
def test_a_command_that_is_sent_again_gets_its_first_outcome_however_late(told: str, days: int) -> None:
    desk, first = begun(told)
    decided = desk.decide(FIRST_OUTCOMES[told], at_ms=NOW + days * DAY_MS)
    assert decided.events == []
    assert only(decided) == replace(first, repeat=True)


@each_outcome
@pytest.mark.parametrize("days", [0, 29, 31])
def test_a_command_gets_its_first_outcome_from_a_decider_that_has_read_the_topics_anew(
    told: str, days: int
) -> None:
    desk, first = begun(told)
    decided = desk.restarted().decide(FIRST_OUTCOMES[told], at_ms=NOW + days * DAY_MS)
    assert decided.events == []
    assert only(decided) == replace(first, repeat=True)


@each_outcome
def test_a_command_that_comes_again_while_its_first_outcome_is_owed_gets_that(told: str) -> None:
    desk, first = begun(told)
    decided = desk.restarted(answered=len(BEFORE)).decide(FIRST_OUTCOMES[told], FIRST_OUTCOMES[told])
    assert decided.events == []
    assert [answer for _, answer in decided.outcomes] == [first, replace(first, repeat=True)]


@each_outcome
def test_another_body_under_an_id_is_refused_whatever_became_of_the_first(told: str) -> None:
    desk, first = begun(told)
    other = {**FIRST_OUTCOMES[told], "occurred_at": "2026-01-01T00:00:00Z"}
    for later in (desk, desk.restarted()):
        reused = later.decide(other, at_ms=NOW + 29 * DAY_MS)
        assert (code_of(reused), only(reused).repeat, reused.events) == ("command_id_reused", True, [])
        assert only(later.decide(FIRST_OUTCOMES[told])) == replace(first, repeat=True)


def test_the_same_commands_are_two_where_their_ids_are() -> None:
    desk = Desk()
    desk.decide(*BEFORE)
    counted = [desk.decide(edit(number, 1, counters={"seen": 1})) for number in (3, 4)]
    assert [only(decided).status for decided in counted] == ["merged", "merged"]
    assert json.loads(counted[1].events[0].value or b"")["set"] == {"counters": {"seen": 2}}


def test_a_command_that_was_refused_stays_refused_though_it_could_succeed_now() -> None:
    desk = Desk()
    refused = desk.decide(record_pattern(1, 1, "a"))
    assert code_of(refused) == "unknown_team"
    desk.decide(create_team(2))
    assert code_of(desk.decide(record_pattern(1, 1, "a"))) == "unknown_team"
    assert code_of(desk.restarted().decide(record_pattern(1, 1, "a"))) == "unknown_team"


def test_an_id_is_of_one_team() -> None:
    desk, other = Desk(), "0198c0de-0000-7000-8000-00000000000b"
    desk.decide(create_team())
    answer = only(desk.decide({**create_team(), "name": "Others"}, key=other))
    assert (answer.status, answer.repeat) == ("accepted", False)
