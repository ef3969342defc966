"""A decider that dies between its appends, and its successor: each command once, and in its place."""

from typing import Any

import pytest

from events.identifiers import uuid7
from events.outcome import Outcome
from events.pattern import Pattern, stream_of
from tests.simulated_decider import Lands, SimulatedDecider

TEAM = "0198c0de-0000-7000-8000-00000000000a"
PATTERN = "11111111-1111-4111-8111-111111111111"
NOW = 1_760_000_000_000
DAY_MS = 24 * 60 * 60 * 1000


class Desk:
    """A team with one pattern, and commands to it."""

    def __init__(self) -> None:
        self.decider = SimulatedDecider()
        self._made = 0
        self.send({"type": "create_team", "name": "Team"})
        fields = {"name": "a", "solution": "1\n2\n3", "counters": {"seen": 1}}
        self.send({"type": "record_pattern", "pattern_id": PATTERN, "fields": fields})
        self.decider.run()

    def send(self, body: dict[str, Any], *, command_id: str = "", at_ms: int = NOW) -> str:
        """Send a command, under an id that it had before or a new one; the id."""
        self._made += 1
        command_id = command_id or uuid7(NOW, self._made.to_bytes(10, "big"))
        self.decider.send(TEAM, {"command_id": command_id, **body}, at_ms)
        return command_id

    def to_pattern(self, kind: str, **more: Any) -> dict[str, Any]:
        return {"type": kind, "pattern_id": PATTERN, **more}

    def outcomes_of(self, command_id: str) -> list[Outcome]:
        return [one for one in self.decider.outcomes() if one.command_id == command_id]

    def codes(self) -> list[str]:
        """What became of everything but the first two commands."""
        return [one.answer.get("code", one.status) for one in self.decider.outcomes()[2:]]

    @property
    def pattern(self) -> Pattern:
        state = self.decider.states()[TEAM, stream_of(PATTERN)]
        assert isinstance(state, Pattern)
        return state


@pytest.mark.parametrize("lands", [Lands.UNHEARD, Lands.BEFORE_TAKING])
def test_what_was_refused_is_not_done_after_what_came_later_when_the_decider_dies(lands: Lands) -> None:
    desk = Desk()
    desk.send(desk.to_pattern("restore_pattern"))
    desk.send(desk.to_pattern("archive_pattern"))
    desk.decider.fail_next_append(lands)
    desk.decider.run()
    assert desk.codes() == ["interrupted", "accepted"]
    assert desk.pattern.status == "archived"


def test_a_batch_whose_events_never_counted_is_decided_anew_as_a_whole() -> None:
    desk = Desk()
    desk.send(desk.to_pattern("restore_pattern"))
    desk.send(desk.to_pattern("archive_pattern"))
    desk.decider.fail_next_append(Lands.LATE)
    desk.decider.run()
    assert desk.codes() == ["pattern_not_archived", "accepted"]


@pytest.mark.parametrize("lands", Lands)
def test_each_link_of_a_chain_is_applied_once_whatever_dies(lands: Lands) -> None:
    desk = Desk()
    first = desk.send(desk.to_pattern("edit_pattern", base_version=1, set={"counters": {"seen": 2}}))
    desk.send(desk.to_pattern("edit_pattern", base_version=1, set={"counters": {"seen": 2}}))
    desk.send(desk.to_pattern("edit_pattern", base_command=first, set={"counters": {"seen": 3}}))
    desk.decider.fail_next_append(lands)
    desk.decider.run()
    assert desk.codes() == ["accepted", "merged", "merged"]
    assert desk.pattern.fields["counters"] == {"seen": 4}


@pytest.mark.parametrize("lands", Lands)
def test_a_conflict_is_detected_once_and_its_answer_says_the_same_whoever_gives_it(lands: Lands) -> None:
    desk, calm = Desk(), Desk()
    for one in (desk, calm):
        one.send(one.to_pattern("edit_pattern", base_version=1, set={"x": 1}))
        one.send(one.to_pattern("edit_pattern", base_version=1, set={"x": 2, "y": None}))
    desk.decider.fail_next_append(lands)
    for one in (desk, calm):
        one.decider.run()
    assert desk.decider.outcomes() == calm.decider.outcomes()
    assert desk.decider.events() == calm.decider.events()
    assert len(desk.pattern.conflicts) == 1


@pytest.mark.parametrize("lands", Lands)
def test_a_batch_happens_once_and_its_answer_says_the_same_whoever_gives_it(lands: Lands) -> None:
    desk, calm = Desk(), Desk()
    for one in (desk, calm):
        commands = [one.to_pattern("edit_pattern", base_version=1, set={name: 1}) for name in ("x", "y")]
        one.send({"type": "batch", "commands": commands})
    desk.decider.fail_next_append(lands)
    for one in (desk, calm):
        one.decider.run()
    assert desk.decider.outcomes() == calm.decider.outcomes()
    assert desk.pattern == calm.pattern


@pytest.mark.parametrize("projected", [0, 100])
@pytest.mark.parametrize("days", [0, 29])
@pytest.mark.parametrize("restarted", [False, True])
def test_a_command_sent_again_gets_its_first_outcome_after_a_restart_and_29_days_later(
    projected: int, days: int, *, restarted: bool
) -> None:
    desk = Desk()
    body = desk.to_pattern("edit_pattern", base_version=1, set={"x": 1})
    command_id = desk.send(body)
    desk.decider.run()
    desk.decider.project(projected)
    if restarted:
        desk.decider.restart()
    desk.send(body, command_id=command_id, at_ms=NOW + days * DAY_MS)
    desk.send({**body, "set": {"x": 2}}, command_id=command_id, at_ms=NOW + days * DAY_MS)
    desk.decider.run()
    first, again, reused = desk.outcomes_of(command_id)
    assert (again.status, again.answer, again.repeat) == (first.status, first.answer, True)
    assert reused.answer["code"] == "command_id_reused"
    assert desk.pattern.version == 2


def test_a_base_that_memory_has_let_go_of_is_read_from_the_history() -> None:
    desk = Desk()
    first = desk.send(desk.to_pattern("edit_pattern", base_version=1, set={"solution": "1\n2\nthree"}))
    desk.send(desk.to_pattern("edit_pattern", base_version=1, set={"solution": "one\n2\n3"}))
    desk.decider.run()
    desk.decider.project(100)
    # One more command, after which memory holds nothing that is projected.
    desk.send(desk.to_pattern("edit_pattern", base_version=1, set={"x": 1}))
    desk.decider.run()
    desk.send(desk.to_pattern("edit_pattern", base_command=first, set={"solution": "1\n2\nthree\nfour"}))
    desk.decider.run()
    assert desk.pattern.fields["solution"] == "one\n2\nthree\nfour"


def test_a_conflict_that_memory_has_let_go_of_is_resolved_from_the_history() -> None:
    desk = Desk()
    desk.send(desk.to_pattern("edit_pattern", base_version=1, set={"x": 1}))
    conflict_id = desk.send(desk.to_pattern("edit_pattern", base_version=1, set={"x": 2}))
    desk.decider.run()
    desk.decider.project(100)
    desk.send(desk.to_pattern("edit_pattern", base_version=1, set={"y": 1}))
    desk.decider.run()
    resolution = {"conflict_id": conflict_id, "take": {"x": "mine"}}
    desk.send(desk.to_pattern("resolve_conflict", **resolution))
    desk.send(desk.to_pattern("resolve_conflict", **resolution))
    desk.decider.run()
    assert desk.codes()[-2:] == ["merged", "conflict_not_open"]
    assert desk.pattern.fields["x"] == 2
    assert desk.pattern.conflicts == {}
