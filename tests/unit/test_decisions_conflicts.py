"""An edit that cannot be merged: what its conflict holds, and what else may become of it."""

from dataclasses import replace

import pytest

from command_api.decisions.limits import MAX_EVENT_BYTES, MAX_OPEN_CONFLICTS, MAX_PATTERN_BYTES
from command_api.decisions.merging import ABSENT
from command_api.decisions.refusals import Refusal
from events.identifiers import uuid7
from events.json_text import Json
from events.merge_rules import Policy, Rule
from events.pattern import (
    PatternArchived,
    PatternConflictDetected,
    PatternDeleted,
    PatternRecorded,
    PatternRestored,
)
from events.registry import Event
from tests.commands import COMMAND, OTHER, edit
from tests.facts import ABANDONED, detected, edited, resolved, sides, team_created
from tests.specs import given, in_pattern

CREATED = team_created("Compilers")
RECORDED = PatternRecorded(fields={"name": "Race", "x": 1, "solution": "a", "tags": ["a"]})


# ---------------------------------------------------------------- what it holds


def test_a_conflict_holds_every_field_of_the_edit_as_each_side_has_it() -> None:
    command = edit(1, "gone", x=3, solution="c", tags=["a", "c"], y=1)
    given(CREATED, RECORDED, edited(1, x=2, solution="b", tags=["b"])).when(command).then_detected(
        detected(
            conflict_id=COMMAND,
            x=sides(1, 2, 3),
            solution=sides("a", "b", "c", rule=Rule.TEXT),
            tags=sides(["a"], ["b"], ["a", "c"], rule=Rule.TAGS, clashes=False),
            y=sides(ABSENT, ABSENT, 1, clashes=False),
            gone=sides(ABSENT, ABSENT, ABSENT, clashes=False),
        )
    )


@pytest.mark.parametrize(
    ("base", "theirs", "mine"),
    [(None, 1, 2), (1, None, 2), (1, 2, None), (ABSENT, None, 1), (None, ABSENT, 1), (1, ABSENT, None)],
)
def test_a_side_that_is_null_is_told_from_one_that_is_not_there(base: Json, theirs: Json, mine: Json) -> None:
    recorded = PatternRecorded(fields={"name": "Race", **({} if base is ABSENT else {"y": base})})
    change = edited(1, "y") if theirs is ABSENT else edited(1, y=theirs)
    given(CREATED, recorded, change).when(edit(1, y=mine)).then_detected(
        detected(conflict_id=COMMAND, y=sides(base, theirs, mine))
    )


def test_a_removal_and_a_change_are_in_conflict_either_way() -> None:
    given(CREATED, RECORDED, edited(1, x=2)).when(edit(1, "x")).then_detected(
        detected(conflict_id=COMMAND, x=sides(1, 2, ABSENT))
    )
    given(CREATED, RECORDED, edited(1, "x")).when(edit(1, x=2)).then_detected(
        detected(conflict_id=COMMAND, x=sides(1, ABSENT, 2))
    )


def test_a_base_that_is_not_at_hand_says_nothing_in_the_conflict() -> None:
    history = given(CREATED, RECORDED, edited(1, x=2))
    history.library.working.draft.versions.clear()
    history.when(edit(1, x=3, y=1)).then_detected(
        detected(
            conflict_id=COMMAND,
            base_known=False,
            x=sides(ABSENT, 2, 3),
            y=sides(ABSENT, ABSENT, 1, clashes=False),
        )
    )


def test_without_its_base_an_edit_still_merges_what_both_sides_said_alike() -> None:
    history = given(CREATED, RECORDED, edited(1, x=2))
    history.library.working.draft.versions.clear()
    history.when(edit(1, x=2, y=1)).then_merged(edited(1, x=2, y=1))
    history.when(edit(1, y=1)).then_merged(edited(1, y=1))


def test_a_conflict_is_a_version_that_later_edits_may_have_seen() -> None:
    history = (CREATED, RECORDED, edited(1, x=2), detected(x=sides(1, 2, 3)))
    given(*history).when(edit(3, x=4)).then(edited(3, x=4))
    given(*history).when(edit(2, x=4)).then_merged(edited(2, x=4))
    given(*history).when(edit(1, x=4)).then_conflict(3, "x")


@pytest.mark.parametrize("end", [ABANDONED, resolved(3, {"x": "theirs"})])
def test_the_end_of_a_conflict_leaves_the_fields_that_it_does_not_change(end: Event) -> None:
    history = (CREATED, RECORDED, edited(1, x=2), detected(x=sides(1, 2, 3)), end)
    given(*history).when(edit(2, x=4)).then_merged(edited(2, x=4))


def test_what_a_resolution_changed_is_seen_by_nobody_before() -> None:
    history = (CREATED, RECORDED, edited(1, x=2), detected(x=sides(1, 2, 3)))
    given(*history, resolved(3, {"x": "mine"}, x=3)).when(edit(3, x=4)).then_conflict(4, "x")


# ---------------------------------------------------------------- names


def test_a_pattern_that_two_rename_is_in_conflict_unless_they_agree() -> None:
    history = (CREATED, RECORDED, edited(1, name="Data race"))
    given(*history).when(edit(1, name="Deadlock")).then_detected(
        detected(conflict_id=COMMAND, name=sides("Race", "Data race", "Deadlock"))
    )
    given(*history).when(edit(1, name="Data race")).then_merged(edited(1, name="Data race"))


def test_two_patterns_that_are_renamed_to_one_name_are_no_conflict_but_the_second_is_refused() -> None:
    other = in_pattern(OTHER, PatternRecorded(fields={"name": "Deadlock"}), edited(1, name="Livelock"))
    given(CREATED, RECORDED, other).when(edit(1, name="Livelock")).then_refused(Refusal.NAME_TAKEN, OTHER)
    given(CREATED, RECORDED, other).when(edit(1, name="Deadlock")).then(edited(1, name="Deadlock"))


def test_a_name_that_somebody_else_took_meanwhile_is_no_matter_of_a_conflict() -> None:
    other = in_pattern(OTHER, PatternRecorded(fields={"name": "Deadlock"}))
    history = (CREATED, RECORDED, other, edited(1, x=2))
    given(*history).when(edit(1, name="Deadlock", x=3)).then_detected(
        detected(conflict_id=COMMAND, name=sides("Race", "Race", "Deadlock", clashes=False), x=sides(1, 2, 3))
    )


# ---------------------------------------------------------------- archived, deleted


def test_an_edit_of_an_archived_pattern_is_refused_and_not_kept_as_a_conflict() -> None:
    history = (CREATED, RECORDED, edited(1, x=2), PatternArchived())
    given(*history).when(edit(1, x=3)).then_refused(Refusal.PATTERN_ARCHIVED)
    given(*history, PatternRestored()).when(edit(1, x=3)).then_conflict(4, "x")


def test_a_deleted_pattern_is_never_resurrected_by_an_edit_that_had_not_seen_that() -> None:
    given(CREATED, RECORDED, edited(1, x=2), PatternDeleted()).when(edit(1, x=3)).then_refused(
        Refusal.PATTERN_DELETED
    )


# ---------------------------------------------------------------- limits


def open_conflicts(count: int) -> list[PatternConflictDetected]:
    return [detected(conflict_id=uuid7(number, bytes(10)), x=sides(1, 2, 3)) for number in range(count)]


def test_a_pattern_has_so_many_open_conflicts_and_no_more() -> None:
    history = (CREATED, RECORDED, edited(1, x=2))
    most = open_conflicts(MAX_OPEN_CONFLICTS)
    given(*history, *most[1:]).when(edit(1, x=3)).then_conflict(101, "x")
    full = given(*history, *most)
    full.when(edit(1, x=3)).then_refused(Refusal.TOO_MANY_CONFLICTS, "100")
    full.when(edit(1, y=3)).then_merged(edited(1, y=3))
    full.when(edit(1, x=3, under=Policy.REJECT)).then_refused(Refusal.STALE_EDIT)


def test_a_conflict_whose_sides_take_too_much_is_refused() -> None:
    large = [letter * MAX_PATTERN_BYTES for letter in "abc"]
    base, theirs, mine = (text[:-500] for text in large)
    history = (
        CREATED,
        PatternRecorded(fields={"name": "Race", "solution": base}),
        edited(1, solution=theirs),
    )
    given(*history).when(edit(1, solution=mine)).then_conflict(2, "solution")
    names: dict[str, Json] = {f"f{number}": number for number in range(40)}
    larger = replace(edit(1, x=1), set={"solution": mine[:-500], **names})
    given(*history).when(larger).then_refused(Refusal.TOO_LARGE, str(MAX_EVENT_BYTES))


def test_an_edit_that_would_be_too_large_whatever_becomes_of_it_is_no_conflict() -> None:
    history = (CREATED, RECORDED, edited(1, x=2))
    mine = "m" * (MAX_PATTERN_BYTES + 1)
    for base_version in (1, 2):
        given(*history).when(edit(base_version, x=3, y=mine)).then_refused(Refusal.TOO_LARGE)
