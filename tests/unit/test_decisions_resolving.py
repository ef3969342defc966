"""Conflicts are decided field by field, once, and on what their decider had seen; or they are abandoned."""

from typing import Any

import pytest

from command_api.decisions.commands import AbandonConflict, ResolveConflict
from command_api.decisions.limits import MAX_MERGED_TEXTS, MAX_PATTERN_BYTES
from command_api.decisions.merging import ABSENT
from command_api.decisions.refusals import Refusal
from events.json_text import Json
from events.merge_rules import Rule
from events.pattern import (
    PatternArchived,
    PatternConflictAbandoned,
    PatternConflictResolved,
    PatternDeleted,
    PatternRecorded,
    PatternRestored,
)
from tests.commands import COMMAND, EARLIER, OTHER, abandon, resolve
from tests.facts import ABANDONED, detected, edited, resolved, sides, team_created
from tests.specs import Given, given, in_pattern

CREATED = team_created("Compilers")
RECORDED = PatternRecorded(fields={"name": "Race", "x": 1, "y": 1, "solution": "a\nb\nc"})
CHANGED = edited(1, x=2, y=2)
DETECTED = detected(x=sides(1, 2, 3), y=sides(1, 2, ABSENT))
ABOUT_X = detected(x=sides(1, 2, 3))
HISTORY = (CREATED, RECORDED, CHANGED)
"""With a conflict it is at version 3."""
TEXT = sides("a\nb\nc", "a\nb\nc", "a\nb\nC", rule=Rule.TEXT, clashes=False)
IN_CONFLICT = given(*HISTORY, DETECTED)


# ---------------------------------------------------------------- field by field


def test_each_field_is_taken_from_a_side_or_given_anew() -> None:
    IN_CONFLICT.when(resolve(take={"x": "mine", "y": "theirs"})).then(
        resolved(3, {"x": "mine", "y": "theirs"}, x=3)
    )
    IN_CONFLICT.when(resolve(take={"x": "theirs", "y": "mine"})).then(
        resolved(3, {"x": "theirs", "y": "mine"}, "y")
    )
    IN_CONFLICT.when(resolve("x", y=[5])).then(resolved(3, {"x": "new", "y": "new"}, "x", y=[5]))


def test_the_rest_is_taken_from_one_side() -> None:
    IN_CONFLICT.when(resolve(rest="mine")).then(resolved(3, {"x": "mine", "y": "mine"}, "y", x=3))
    IN_CONFLICT.when(resolve(rest="theirs")).then(resolved(3, {"x": "theirs", "y": "theirs"}))
    IN_CONFLICT.when(resolve(rest="mine", y=4)).then(resolved(3, {"x": "mine", "y": "new"}, x=3, y=4))


def test_what_does_not_clash_is_merged_unless_it_is_decided_otherwise() -> None:
    in_conflict = given(*HISTORY, detected(x=sides(1, 2, 3), solution=TEXT))
    in_conflict.when(resolve(rest="theirs")).then(
        resolved(3, {"x": "theirs", "solution": "merged"}, solution="a\nb\nC")
    )
    in_conflict.when(resolve(rest="theirs", take={"solution": "theirs"})).then(
        resolved(3, {"x": "theirs", "solution": "theirs"})
    )
    in_conflict.when(resolve("solution", rest="theirs")).then(
        resolved(3, {"x": "theirs", "solution": "new"}, "solution")
    )


def test_what_does_not_clash_is_merged_with_what_was_written_since() -> None:
    since = edited(3, solution="A\nb\nc")
    in_conflict = given(*HISTORY, detected(x=sides(1, 2, 3), solution=TEXT), since)
    in_conflict.when(resolve(rest="mine")).then_merged(
        resolved(3, {"x": "mine", "solution": "merged"}, x=3, solution="A\nb\nC")
    )


def test_what_has_come_to_clash_since_is_to_be_decided_too() -> None:
    since = edited(3, solution="a\nb\nD")
    in_conflict = given(*HISTORY, detected(x=sides(1, 2, 3), solution=TEXT), since)
    in_conflict.when(resolve(take={"x": "mine"})).then_refused(
        Refusal.UNRESOLVED_FIELDS, "solution", fields=["solution"], current_version=4
    )
    in_conflict.when(resolve(rest="mine")).then_refused(
        Refusal.STALE_RESOLUTION, "solution", fields=["solution"], current_version=4
    )
    in_conflict.when(resolve(rest="mine", at=4)).then(
        resolved(4, {"x": "mine", "solution": "mine"}, x=3, solution="a\nb\nC")
    )


def test_so_many_texts_are_merged_and_more_are_to_be_decided() -> None:
    names = [f"t{number}" for number in range(MAX_MERGED_TEXTS + 1)]
    recorded = PatternRecorded(fields={"name": "Race", "x": 1, **dict.fromkeys(names, "a\nb\nc")})
    changed: dict[str, Json] = dict.fromkeys(names, "A\nb\nc")
    for count in (MAX_MERGED_TEXTS, MAX_MERGED_TEXTS + 1):
        held_up: dict[str, Any] = dict.fromkeys(names[:count], TEXT)
        history = (CREATED, recorded, edited(1, x=2), detected(x=sides(1, 2, 3), **held_up))
        assert given(*history).when(resolve(rest="mine")).status == "accepted"
        moved_on = given(*history, edited(3, **changed)).when(resolve(rest="mine"))
        assert moved_on.status == ("merged" if count == MAX_MERGED_TEXTS else "rejected")


def test_other_fields_may_be_changed_along() -> None:
    IN_CONFLICT.when(resolve(rest="mine", z=1)).then(
        resolved(3, {"x": "mine", "y": "mine", "z": "new"}, "y", x=3, z=1)
    )
    IN_CONFLICT.when(resolve("solution", rest="theirs")).then(
        resolved(3, {"x": "theirs", "y": "theirs", "solution": "new"}, "solution")
    )


def test_a_value_that_is_there_already_is_no_change() -> None:
    IN_CONFLICT.when(resolve(x=2, y=2)).then(resolved(3, {"x": "new", "y": "new"}))


def test_every_field_that_clashes_is_to_be_decided() -> None:
    IN_CONFLICT.when(resolve()).then_refused(Refusal.UNRESOLVED_FIELDS, "x, y", fields=["x", "y"])
    IN_CONFLICT.when(resolve(take={"x": "mine"})).then_refused(
        Refusal.UNRESOLVED_FIELDS, fields=["y"], current_version=3
    )


def test_a_side_is_taken_of_fields_that_the_conflict_is_about() -> None:
    IN_CONFLICT.when(resolve(rest="mine", take={"z": "mine"})).then_refused(Refusal.INVALID_FIELD, "z")


def test_without_its_base_nothing_is_merged_but_everything_can_be_decided() -> None:
    about = detected(
        base_known=False,
        x=sides(ABSENT, 2, 3),
        solution=sides(ABSENT, "a\nb\nc", "a\nb\nC", rule=Rule.TEXT, clashes=False),
    )
    in_conflict = given(*HISTORY, about)
    in_conflict.when(resolve(take={"x": "mine"})).then_refused(Refusal.UNRESOLVED_FIELDS, fields=["solution"])
    in_conflict.when(resolve(take={"x": "theirs", "solution": "mine"})).then(
        resolved(3, {"x": "theirs", "solution": "mine"}, solution="a\nb\nC")
    )


# ---------------------------------------------------------------- on what was seen


@pytest.mark.parametrize("at", [None, 3])
def test_a_decision_does_not_overwrite_what_its_author_had_not_seen(at: int | None) -> None:
    moved = given(*HISTORY, DETECTED, edited(3, x=9))
    moved.when(resolve(rest="mine", at=at)).then_refused(
        Refusal.STALE_RESOLUTION, "x", fields=["x"], current_version=4
    )
    moved.when(resolve(x=8, y=8, at=at)).then_refused(Refusal.STALE_RESOLUTION, fields=["x"])
    moved.when(resolve(rest="mine", at=4)).then(resolved(4, {"x": "mine", "y": "mine"}, "y", x=3))


def test_theirs_is_what_is_there_now() -> None:
    moved = given(*HISTORY, DETECTED, edited(3, x=9))
    moved.when(resolve(take={"x": "theirs", "y": "mine"})).then_merged(
        resolved(3, {"x": "theirs", "y": "mine"}, "y")
    )
    moved.when(resolve(x=9, y=2)).then_merged(resolved(3, {"x": "new", "y": "new"}))


def test_a_decision_goes_by_the_fields_that_it_changes_whatever_else_has_moved() -> None:
    moved = given(*HISTORY, DETECTED, edited(3, z=9))
    moved.when(resolve(rest="mine")).then_merged(resolved(3, {"x": "mine", "y": "mine"}, "y", x=3))


def test_who_decides_on_an_earlier_state_than_the_conflicts_overwrites_less() -> None:
    IN_CONFLICT.when(resolve(rest="mine", at=1)).then_refused(Refusal.STALE_RESOLUTION, fields=["x", "y"])
    IN_CONFLICT.when(resolve(rest="theirs", at=1)).then_merged(resolved(1, {"x": "theirs", "y": "theirs"}))


@pytest.mark.parametrize("at", [4, 2**53 - 1])
def test_a_version_that_never_existed_was_seen_by_nobody(at: int) -> None:
    IN_CONFLICT.when(resolve(rest="mine", at=at)).then_refused(Refusal.UNKNOWN_BASE_VERSION, str(at))


# ---------------------------------------------------------------- names


def about_the_name() -> Given:
    renamed = edited(1, name="Data race")
    return given(CREATED, RECORDED, renamed, detected(name=sides("Race", "Data race", "Deadlock")))


def test_a_name_is_taken_from_either_side_or_given_anew() -> None:
    about_the_name().when(resolve(rest="mine")).then(resolved(3, {"name": "mine"}, name="Deadlock"))
    about_the_name().when(resolve(rest="theirs")).then(resolved(3, {"name": "theirs"}))
    about_the_name().when(resolve(name="Livelock")).then(resolved(3, {"name": "new"}, name="Livelock"))


def test_a_name_that_somebody_else_took_meanwhile_is_not_to_be_had() -> None:
    history = about_the_name()
    for fact in in_pattern(OTHER, PatternRecorded(fields={"name": "Deadlock"})):
        history.library.apply(fact)
    history.when(resolve(rest="mine")).then_refused(Refusal.NAME_TAKEN, OTHER)
    history.when(resolve(name="Deadlock")).then_refused(Refusal.NAME_TAKEN, OTHER)
    history.when(resolve(rest="theirs")).then(resolved(3, {"name": "theirs"}))
    history.when(resolve(name="Livelock")).then(resolved(3, {"name": "new"}, name="Livelock"))


def test_a_name_that_does_not_clash_is_still_to_be_had() -> None:
    about = detected(x=sides(1, 2, 3), name=sides("Race", "Race", "Deadlock", clashes=False))
    taken = in_pattern(OTHER, PatternRecorded(fields={"name": "Deadlock"}))
    given(*HISTORY, about).when(resolve(rest="theirs")).then(
        resolved(3, {"x": "theirs", "name": "merged"}, name="Deadlock")
    )
    given(*HISTORY, about, taken).when(resolve(rest="theirs")).then_refused(Refusal.NAME_TAKEN, OTHER)
    given(*HISTORY, about, taken).when(resolve(rest="theirs", take={"name": "theirs"})).then(
        resolved(3, {"x": "theirs", "name": "theirs"})
    )


# ---------------------------------------------------------------- once, and while the pattern is live


@pytest.mark.parametrize("end", [resolved(3, {"x": "theirs"}), ABANDONED])
def test_a_conflict_ends_once(end: PatternConflictResolved | PatternConflictAbandoned) -> None:
    ended = given(*HISTORY, ABOUT_X, end)
    ended.when(resolve(rest="mine")).then_refused(Refusal.CONFLICT_NOT_OPEN)
    ended.when(abandon()).then_refused(Refusal.CONFLICT_NOT_OPEN)


@pytest.mark.parametrize("conflict_id", [COMMAND, EARLIER])
def test_a_conflict_that_never_was_does_not_end(conflict_id: str) -> None:
    IN_CONFLICT.when(resolve(of=conflict_id, rest="mine")).then_refused(Refusal.CONFLICT_NOT_OPEN)
    IN_CONFLICT.when(abandon(conflict_id)).then_refused(Refusal.CONFLICT_NOT_OPEN)


def test_a_conflict_is_abandoned_whatever_has_moved() -> None:
    IN_CONFLICT.when(abandon()).then(ABANDONED)
    given(*HISTORY, DETECTED, edited(3, x=9)).when(abandon()).then(ABANDONED)


def test_of_several_conflicts_one_ends_and_the_others_stay() -> None:
    other = detected(conflict_id=EARLIER, x=sides(1, 2, 4))
    both = given(*HISTORY, ABOUT_X, other, resolved(4, {"x": "mine"}, x=3))
    both.when(resolve(of=EARLIER, rest="mine")).then_refused(Refusal.STALE_RESOLUTION, fields=["x"])
    both.when(resolve(of=EARLIER, rest="mine", at=5)).then(
        resolved(5, {"x": "mine"}, conflict_id=EARLIER, x=4)
    )
    both.when(abandon(EARLIER)).then(PatternConflictAbandoned(conflict_id=EARLIER))


def test_an_archived_patterns_conflicts_are_abandoned_or_wait_for_it_to_be_restored() -> None:
    archived = given(*HISTORY, DETECTED, PatternArchived())
    archived.when(resolve(rest="mine")).then_refused(Refusal.PATTERN_ARCHIVED)
    archived.when(abandon()).then(ABANDONED)
    restored = given(*HISTORY, DETECTED, PatternArchived(), PatternRestored())
    restored.when(resolve(rest="mine")).then_merged(resolved(3, {"x": "mine", "y": "mine"}, "y", x=3))


def test_a_deleted_patterns_conflicts_are_gone() -> None:
    deleted = given(*HISTORY, DETECTED, PatternDeleted())
    for command in (resolve(rest="mine"), abandon()):
        deleted.when(command).then_refused(Refusal.PATTERN_DELETED)


@pytest.mark.parametrize("command", [resolve(rest="mine"), abandon()])
def test_a_conflict_is_of_a_pattern_of_a_team(command: ResolveConflict | AbandonConflict) -> None:
    given(CREATED).when(command).then_refused(Refusal.UNKNOWN_PATTERN)
    given().when(command).then_refused(Refusal.UNKNOWN_TEAM)


def test_a_resolution_makes_no_pattern_too_large() -> None:
    long = "m" * MAX_PATTERN_BYTES
    in_conflict = given(*HISTORY, detected(x=sides(1, 2, long)))
    in_conflict.when(resolve(rest="mine")).then_refused(Refusal.TOO_LARGE)
    in_conflict.when(resolve(rest="theirs", z=long)).then_refused(Refusal.TOO_LARGE)
    in_conflict.when(resolve(rest="theirs")).then(resolved(3, {"x": "theirs"}))
