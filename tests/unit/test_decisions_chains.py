"""Edits that are based on an own earlier command: a chain never conflicts with itself, only with others."""

from dataclasses import replace

import pytest

from command_api.decisions.merging import ABSENT
from command_api.decisions.refusals import Refusal
from events.merge_rules import Policy, Rule
from events.outcome import OutcomeStatus
from events.pattern import MergedField, PatternArchived, PatternDeleted, PatternRecorded, PatternRestored
from events.team import TeamMergingChanged
from tests.commands import COMMAND, CONFLICT, EARLIER, OTHER, edit
from tests.facts import ABANDONED, detected, edited, resolved, sides, team_created
from tests.specs import Fact, given, of_command

CREATED = team_created("Compilers")
TEXT = "a\nb\nc\nd\ne"
RECORDED = PatternRecorded(fields={"name": "Race", "x": 1, "y": 1, "solution": TEXT})
FOREIGN = edited(1, z="foreign")
NOT_ACCEPTED: list[OutcomeStatus] = ["rejected", "conflict"]


def text(event: str, mine: str) -> MergedField:
    assert event != mine
    return MergedField(rule=Rule.TEXT, mine=mine)


# ---------------------------------------------------------------- a clean chain


def test_an_edit_on_top_of_an_own_one_that_nobody_came_before_has_seen_all() -> None:
    own = of_command(EARLIER, edited(1, x=2))
    given(CREATED, RECORDED, own).when(edit(EARLIER, x=3)).then(edited(2, x=3))
    given(CREATED, RECORDED, own).when(edit(EARLIER, "x", y=2)).then(edited(2, "x", y=2))


def test_an_edit_on_top_of_what_was_recorded_has_seen_all() -> None:
    given(CREATED, of_command(EARLIER, RECORDED)).when(edit(EARLIER, x=3)).then(edited(1, x=3))


def test_somebody_elses_edit_after_an_own_one_was_not_seen() -> None:
    own = of_command(EARLIER, edited(1, x=2))
    given(CREATED, RECORDED, own, edited(2, y=9)).when(edit(EARLIER, x=3)).then_merged(edited(2, x=3))
    given(CREATED, RECORDED, own, edited(2, y=9)).when(edit(EARLIER, y=3)).then_detected(
        detected(2, conflict_id=COMMAND, y=sides(1, 9, 3))
    )
    given(CREATED, RECORDED, own, edited(2, x=9)).when(edit(EARLIER, x=3)).then_detected(
        detected(2, conflict_id=COMMAND, x=sides(2, 9, 3))
    )


# ---------------------------------------------------------------- others before, between and after

BETWEEN = (CREATED, RECORDED, FOREIGN, of_command(EARLIER, edited(1, x=2)))
"""The own edit, at version 3, had seen version 1."""


def test_an_edit_on_top_of_a_merged_one_has_seen_what_that_wrote_on_what_it_had_seen() -> None:
    given(*BETWEEN).when(edit(EARLIER, x=3)).then_merged(edited(1, x=3, own={"x": 3}))
    given(*BETWEEN).when(edit(EARLIER, y=3)).then_merged(edited(1, y=3, own={"x": 3}))
    given(*BETWEEN).when(edit(EARLIER, z=3)).then_conflict(3, "z")


def test_what_others_wrote_over_an_own_value_was_not_seen() -> None:
    given(*BETWEEN, edited(3, x=9)).when(edit(EARLIER, x=3)).then_detected(
        detected(conflict_id=COMMAND, own={"x": 3}, x=sides(2, 9, 3))
    )
    given(*BETWEEN, edited(3, y=9)).when(edit(EARLIER, x=3)).then_merged(edited(1, x=3, own={"x": 3}))
    given(*BETWEEN, edited(3, y=9)).when(edit(EARLIER, y=3)).then_detected(
        detected(conflict_id=COMMAND, own={"x": 3}, y=sides(1, 9, 3))
    )


def test_a_chain_remembers_all_that_it_wrote() -> None:
    second = of_command(CONFLICT, edited(1, y=2, own={"x": 3}))
    third = edit(CONFLICT, x=3, y=3, solution="new")
    given(*BETWEEN, second).when(third).then_merged(edited(1, x=3, y=3, solution="new", own={"x": 3, "y": 4}))
    again = of_command(CONFLICT, edited(1, x=5, own={"x": 3}))
    given(*BETWEEN, again).when(edit(CONFLICT, x=6)).then_merged(edited(1, x=6, own={"x": 4}))


def test_a_field_that_an_own_edit_removed_is_seen_as_gone() -> None:
    removed = of_command(EARLIER, edited(1, "x"))
    history = (CREATED, RECORDED, FOREIGN, removed)
    given(*history).when(edit(EARLIER, x=3)).then_merged(edited(1, x=3, own={"x": 3}))
    given(*history, edited(3, x=9)).when(edit(EARLIER, x=3)).then_conflict(4, "x")
    given(*history, edited(3, x=9)).when(edit(EARLIER, "x")).then_merged(edited(1, own={"x": 3}))


def test_who_has_seen_more_since_says_so() -> None:
    given(*BETWEEN).when(edit(EARLIER, seen=2, z=3)).then_merged(edited(2, z=3, own={"x": 3}))
    given(*BETWEEN).when(edit(EARLIER, seen=3, z=3)).then(edited(3, z=3))
    given(*BETWEEN).when(edit(EARLIER, seen=1, z=3)).then_conflict(3, "z")
    given(*BETWEEN).when(edit(EARLIER, seen=4, z=3)).then_refused(Refusal.UNKNOWN_BASE_VERSION, "4")
    given(*BETWEEN, edited(3, x=9)).when(edit(EARLIER, seen=2, x=3)).then_conflict(4, "x")
    given(*BETWEEN, edited(3, x=9)).when(edit(EARLIER, seen=4, x=3)).then(edited(4, x=3))


# ---------------------------------------------------------------- a link whose text was merged

THEIRS, FIRST, MERGED = "A\nb\nc\nd\ne", "a\nb\nc\nd\nE", "A\nb\nc\nd\nE"
LINK = of_command(EARLIER, edited(1, solution=MERGED, merged={"solution": text(MERGED, FIRST)}))
MERGED_LINK = (CREATED, RECORDED, edited(1, solution=THEIRS), LINK)


def test_a_text_that_was_merged_is_edited_on_as_its_editor_had_it() -> None:
    second, becomes = "a\nb\nC\nd\nE", "A\nb\nC\nd\nE"
    given(*MERGED_LINK).when(edit(EARLIER, solution=second)).then_merged(
        edited(1, solution=becomes, own={"solution": 3}, merged={"solution": text(becomes, second)})
    )


def test_a_text_that_was_merged_is_in_conflict_where_its_editor_changes_what_others_wrote() -> None:
    second = "x\nb\nc\nd\nE"
    given(*MERGED_LINK).when(edit(EARLIER, solution=second)).then_detected(
        detected(
            conflict_id=COMMAND,
            own={"solution": 3},
            solution=sides(FIRST, MERGED, second, rule=Rule.TEXT),
        )
    )


def test_an_editor_who_says_again_what_they_wrote_leaves_what_it_was_merged_to() -> None:
    given(*MERGED_LINK).when(edit(EARLIER, solution=FIRST)).then_merged(edited(1, own={"solution": 3}))


def test_a_text_that_was_merged_is_merged_on_with_what_others_wrote_after_it() -> None:
    later, second = "A\nb\nC\nd\nE", "a\nb\nc\nd\nE\nf"
    becomes = "A\nb\nC\nd\nE\nf"
    given(*MERGED_LINK, edited(3, solution=later)).when(edit(EARLIER, solution=second)).then_merged(
        edited(1, solution=becomes, own={"solution": 3}, merged={"solution": text(becomes, second)})
    )


def test_what_an_own_edit_overwrote_is_what_its_editor_has_seen() -> None:
    policy = TeamMergingChanged(policy=Policy.LAST_WRITER_WINS, rules={})
    own = of_command(EARLIER, edited(1, x=3, overwrote=["x"]))
    history = (CREATED, policy, RECORDED, edited(1, x=2), own)
    given(*history).when(edit(EARLIER, x=4)).then_merged(edited(1, x=4, own={"x": 3}))
    given(*history, edited(3, x=9)).when(edit(EARLIER, x=4)).then_merged(
        edited(1, x=4, own={"x": 3}, overwrote=["x"])
    )


# ---------------------------------------------------------------- on top of other commands

IN_CONFLICT = (CREATED, RECORDED, edited(1, x=2), detected(x=sides(1, 2, 3)))


def test_an_edit_may_follow_the_end_of_a_conflict() -> None:
    mine = of_command(EARLIER, resolved(3, {"x": "mine"}, x=3))
    given(*IN_CONFLICT, mine).when(edit(EARLIER, x=4)).then(edited(4, x=4))
    abandoned = given(*IN_CONFLICT, of_command(EARLIER, ABANDONED))
    abandoned.when(edit(EARLIER, x=4)).then_refused(Refusal.UNKNOWN_BASE_COMMAND)


def test_who_resolved_a_conflict_has_seen_what_they_decided_on_and_decided() -> None:
    mine = of_command(EARLIER, resolved(3, {"x": "mine"}, x=3))
    history = (*IN_CONFLICT, edited(3, y=9), mine)
    given(*history).when(edit(EARLIER, x=4)).then_merged(edited(3, x=4, own={"x": 5}))
    given(*history).when(edit(EARLIER, y=4)).then_conflict(5, "y")


def test_what_a_resolution_merged_with_unseen_edits_was_seen_by_nobody() -> None:
    held_up = sides(TEXT, TEXT, FIRST, rule=Rule.TEXT, clashes=False)
    in_conflict = (CREATED, RECORDED, edited(1, x=2), detected(x=sides(1, 2, 3), solution=held_up))
    own = of_command(EARLIER, resolved(3, {"x": "mine", "solution": "merged"}, x=3, solution=MERGED))
    history = (*in_conflict, edited(3, solution=THEIRS), own)
    given(*history).when(edit(EARLIER, solution="a\nb\nC\nd\nE")).then_conflict(5, "solution")


def test_an_edit_may_follow_an_own_change_of_status() -> None:
    history = (CREATED, RECORDED, of_command(EARLIER, PatternArchived()))
    given(*history).when(edit(EARLIER, x=2)).then_refused(Refusal.UNKNOWN_BASE_COMMAND)
    restored = of_command(EARLIER, PatternRestored())
    foreign = given(CREATED, RECORDED, edited(1, x="seen by nobody else"), PatternArchived(), restored)
    foreign.when(edit(EARLIER, x=2)).then_refused(Refusal.UNKNOWN_BASE_COMMAND)
    foreign.when(replace(edit(EARLIER, x=2), base_version=1)).then_conflict(4, "x")
    foreign.when(replace(edit(EARLIER, x=2), base_version=4)).then(edited(4, x=2))


# ---------------------------------------------------------------- no such base


@pytest.mark.parametrize("base", [EARLIER, COMMAND])
def test_a_base_command_that_nobody_knows_is_refused(base: str) -> None:
    given(CREATED, RECORDED).when(edit(base, x=2)).then_refused(
        Refusal.UNKNOWN_BASE_COMMAND, base, base_command=base
    )


def test_a_base_command_is_of_the_same_pattern() -> None:
    elsewhere = Fact(stream=f"patterns/{OTHER}", event=RECORDED, command_id=EARLIER)
    renamed = edited(1, name="Deadlock")
    given(CREATED, RECORDED, renamed, elsewhere).when(edit(EARLIER, x=2)).then_refused(
        Refusal.UNKNOWN_BASE_COMMAND, base_command=EARLIER
    )


def test_a_base_command_of_the_team_is_no_base() -> None:
    created = Fact(stream="team", event=CREATED, command_id=EARLIER)
    given(created, RECORDED).when(edit(EARLIER, x=2)).then_refused(Refusal.UNKNOWN_BASE_COMMAND)


@pytest.mark.parametrize("status", NOT_ACCEPTED)
def test_an_edit_that_depends_on_a_command_that_was_not_accepted_is_refused(status: OutcomeStatus) -> None:
    library = given(CREATED, RECORDED).and_refused(EARLIER, status)
    library.when(edit(EARLIER, x=2)).then_refused(Refusal.DEPENDS_ON_REFUSED, EARLIER, base_command=EARLIER)
    library.when(edit(EARLIER, seen=1, x=2)).then_refused(Refusal.DEPENDS_ON_REFUSED)


def test_an_edit_of_what_was_not_recorded_depends_on_a_refused_command() -> None:
    given(CREATED).and_refused(EARLIER).when(edit(EARLIER, x=2)).then_refused(
        Refusal.DEPENDS_ON_REFUSED, base_command=EARLIER
    )
    gone = given(CREATED, RECORDED, PatternDeleted()).and_refused(EARLIER)
    gone.when(edit(EARLIER, x=2)).then_refused(Refusal.DEPENDS_ON_REFUSED)


def test_a_base_whose_event_is_nowhere_counts_for_nothing_seen() -> None:
    library = given(*BETWEEN)
    library.library.working.draft.events.clear()
    library.when(edit(EARLIER, new=1)).then_merged(edited(1, new=1))
    library.when(edit(EARLIER, x=3)).then_detected(
        detected(conflict_id=COMMAND, base_known=False, x=sides(ABSENT, 2, 3))
    )
