"""What the decider reads once it knows the states: what decisions need, no more, and so much at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from command_api.decider.bases import Progress
from command_api.decider.judging import view_of
from command_api.decider.memory import Memory, WorkingSet
from command_api.decider.needs import MOST_BASES, NotAtHand, lacking, wanted_next
from command_api.decider.requests import Request, read_request, wanted_by
from command_api.decider.snapshot import Answered, Wanted
from events.json_text import dump
from events.pattern import Pattern, PatternEvent, stream_of
from tests.commands import CONFLICT
from tests.desk import HERE, TEAM, Desk, batch, command_id, edit, on_pattern, pattern_id, record_pattern
from tests.facts import detected, edited, sides
from tests.snapshots import snapshot

STATE = Pattern(
    version=50,
    status="live",
    fields={"name": "n"},
    field_versions={"a": 50, "b": 1, "c": 42},
    conflicts={CONFLICT: 45},
)
STREAM = (TEAM, stream_of(pattern_id(1)))
OWN = command_id(1)
"""An own command that was accepted, and made version 47."""
RESOLVING = on_pattern("resolve_conflict", 9, 1, conflict_id=CONFLICT, rest="mine")
ABOUT_THE_NAME = detected(name=sides("n", "o", "p"))


def requests_of(*commands: dict[str, Any] | bytes) -> list[Request]:
    desk = Desk()
    return [read_request(desk.record(command), HERE) for command in commands]


def working(
    state: Pattern = STATE, *, events: Mapping[int, PatternEvent] | None = None, held: Sequence[int] = ()
) -> WorkingSet:
    """The pattern's state, an own earlier command, and what is at hand of some versions."""
    answer = {"pattern_id": pattern_id(1), "version": 47}
    answered = Answered(command_hash="", recorded_at="", status="accepted", answer=dump(answer).decode())
    made = WorkingSet(Memory(), snapshot(), Wanted())
    made.draft.states[STREAM] = state
    made.draft.answers[TEAM, OWN] = answered
    made.draft.events.update({(*STREAM, version): event for version, event in (events or {}).items()})
    made.draft.versions.update({(*STREAM, version): {} for version in held})
    return made


def needs(*commands: dict[str, Any], of: WorkingSet | None = None) -> tuple[set[int], set[int]]:
    """The versions of which the fields, and the event, are wanted."""
    wanted = wanted_next(requests_of(*commands), of or working())
    assert {key[:2] for key in wanted.versions | wanted.events} <= {STREAM}
    return {version for *_, version in wanted.versions}, {version for *_, version in wanted.events}


NOTHING: tuple[set[int], set[int]] = (set(), set())

# ---------------------------------------------------------------- before the states are known


def test_every_command_wants_its_team_its_stream_its_first_outcome_and_its_name() -> None:
    wanted = wanted_by(requests_of(record_pattern(3, 1, "n"), edit(4, OWN, 2, name="m"), b"{"))
    assert wanted.teams == {TEAM}
    assert wanted.streams == {(TEAM, "team"), STREAM, (TEAM, stream_of(pattern_id(2)))}
    assert wanted.commands == {(TEAM, command_id(3)), (TEAM, command_id(4)), (TEAM, OWN)}
    assert wanted.names == {(TEAM, "n"), (TEAM, "m")}
    assert wanted.versions == wanted.events == set()


def test_a_batch_wants_what_its_commands_want_under_its_own_id() -> None:
    wanted = wanted_by(requests_of(batch(3, record_pattern(0, 1, "n"), edit(0, OWN, 2, name="m"))))
    assert wanted.streams == {(TEAM, "team"), STREAM, (TEAM, stream_of(pattern_id(2)))}
    assert wanted.commands == {(TEAM, command_id(3)), (TEAM, OWN)}
    assert wanted.names == {(TEAM, "n"), (TEAM, "m")}


# ---------------------------------------------------------------- bases


def test_an_edit_of_what_changed_since_wants_the_fields_at_its_base() -> None:
    assert needs(edit(3, 49, a=1)) == ({49}, set())
    assert needs(edit(3, 39, a=1, b=1, c=1)) == ({39}, set())


def test_an_edit_that_meets_nothing_wants_no_base() -> None:
    for command in (edit(3, 49, b=1), edit(3, 50, a=1), edit(3, 51, a=1), edit(3, 42, c=1)):
        assert needs(command) == NOTHING


def test_what_is_at_hand_or_was_asked_for_is_not_wanted() -> None:
    assert needs(edit(3, 49, a=1), of=working(held=[49])) == NOTHING
    asked = working()
    asked.learn(Wanted(versions={(*STREAM, 49)}), snapshot())
    assert needs(edit(3, 49, a=1), of=asked) == NOTHING


def test_a_change_of_status_wants_nothing_but_an_event_that_tells_its_base() -> None:
    for kind in ("archive_pattern", "delete_pattern"):
        assert needs(on_pattern(kind, 3, 1)) == NOTHING
        assert needs(on_pattern(kind, 3, 1, base_version=40)) == NOTHING
        assert needs(on_pattern(kind, 3, 1, base_command=OWN)) == (set(), {47})


def test_a_pattern_that_is_not_there_wants_nothing() -> None:
    nothing = WorkingSet(Memory(), snapshot(), Wanted())
    assert not wanted_next(requests_of(edit(3, 49, a=1), edit(4, OWN, a=1), RESOLVING), nothing)


# ---------------------------------------------------------------- bases that are commands


def test_an_edit_on_top_of_an_own_one_wants_that_event_and_then_what_it_leads_to() -> None:
    command = edit(3, OWN, a=1)
    assert needs(command) == (set(), {47})
    clean = {47: edited(46, a=1)}
    assert needs(command, of=working(events=clean)) == ({47}, set())
    merged = {47: edited(30, a=1, own={"c": 42, "d": 43})}
    assert needs(command, of=working(events=merged)) == NOTHING
    assert needs(edit(3, OWN, c=1), of=working(events=merged)) == (set(), {42})
    assert needs(edit(3, OWN, b=1), of=working(events=merged)) == NOTHING


def test_what_builds_on_a_batch_wants_all_that_it_did_to_the_pattern() -> None:
    members = [
        {"pattern_id": pattern_id(number), "version": 40 + at} for at, number in enumerate((1, 2, 1), 4)
    ]
    answered = Answered(
        command_hash="", recorded_at="", status="accepted", answer=dump({"outcomes": members}).decode()
    )
    of = working()
    of.draft.answers[TEAM, OWN] = answered
    assert needs(edit(3, OWN, a=1), of=of) == (set(), {44, 45, 46})


def test_a_base_that_is_none_wants_nothing() -> None:
    refused = working()
    first = refused.draft.answers[TEAM, OWN]
    refused.draft.answers[TEAM, OWN] = replace(first, status="conflict")
    assert needs(edit(3, OWN, a=1), of=refused) == NOTHING
    assert needs(edit(3, command_id(2), a=1)) == NOTHING
    assert needs(edit(3, command_id(3), a=1)) == NOTHING


def test_who_has_seen_more_since_wants_less() -> None:
    merged = working(events={47: edited(30, a=1, own={"c": 42})})
    command = {**edit(3, OWN, c=1), "base_version": 44}
    assert needs(command, of=merged) == NOTHING
    assert needs({**command, "base_version": 41}, of=merged) == (set(), {42})


# ---------------------------------------------------------------- conflicts and names


def test_a_resolution_wants_the_conflict_and_then_the_name_that_it_is_about() -> None:
    assert needs(RESOLVING) == (set(), {45})
    wanted = wanted_next(requests_of(RESOLVING), working(events={45: ABOUT_THE_NAME}))
    assert wanted == Wanted(names={(TEAM, "p")})
    assert not wanted_next(requests_of(RESOLVING), working(events={45: detected(x=sides(1, 2, 3))}))


def test_the_end_of_a_conflict_that_is_not_open_wants_nothing() -> None:
    assert needs({**RESOLVING, "conflict_id": command_id(8)}) == NOTHING
    assert needs(on_pattern("abandon_conflict", 3, 1, conflict_id=CONFLICT)) == NOTHING


def test_restoring_wants_the_name_that_the_pattern_had_once() -> None:
    restoring = requests_of(on_pattern("restore_pattern", 3, 1))
    archived = working(replace(STATE, status="archived"))
    wanted = wanted_next(restoring, archived)
    assert wanted == Wanted(names={(TEAM, "n")})
    archived.learn(wanted, snapshot())
    assert not wanted_next(restoring, archived)


# ---------------------------------------------------------------- in bounds


def test_so_many_bases_are_read_at_a_time() -> None:
    state = replace(STATE, version=500, field_versions={"a": 500})
    many = requests_of(*(edit(base, base, a=1) for base in range(1, 200)))
    assert len(wanted_next(many, working(state)).versions) == MOST_BASES
    in_a_batch = requests_of(batch(3, *(edit(3, base, a=1) for base in range(1, 200))))
    assert len(wanted_next(in_a_batch, working(state)).versions) == MOST_BASES


def test_so_many_conflicts_are_read_at_a_time() -> None:
    open_conflicts = {command_id(number): number for number in range(1, 100)}
    state = replace(STATE, version=500, conflicts=open_conflicts)
    many = requests_of(*({**RESOLVING, "conflict_id": one} for one in open_conflicts))
    assert len(wanted_next(many, working(state)).events) == MOST_BASES


def test_a_decision_does_not_go_on_without_what_it_needs() -> None:
    (request,) = requests_of(edit(3, 49, a=1))
    with pytest.raises(NotAtHand) as raised:
        view_of(TEAM, request.commands[0], working(), Progress())
    assert raised.value.wanted == lacking(TEAM, request.commands[0], working(), Progress())
