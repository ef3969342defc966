import pytest

from command_api.decisions.commands import SingleCommand
from command_api.decisions.limits import MAX_PATTERN_BYTES, MAX_PATTERN_FIELDS
from command_api.decisions.refusals import Refusal
from events.json_text import dump
from events.merge_rules import Rule
from events.pattern import (
    MergedField,
    PatternArchived,
    PatternDeleted,
    PatternEdited,
    PatternRecorded,
    PatternRestored,
)
from tests.commands import (
    OTHER,
    PATTERN,
    archive,
    create_team,
    delete,
    edit,
    record,
    restore,
)
from tests.facts import edited, team_created
from tests.specs import given, in_pattern

CREATED = team_created("Compilers")
RECORDED = PatternRecorded(fields={"name": "Race", "severity": "low", "x": [1]})
ARCHIVED, RESTORED, DELETED = PatternArchived(), PatternRestored(), PatternDeleted()
ON_PATTERN = [edit(1, x=2), archive(), restore(), delete()]


# ---------------------------------------------------------------- teams


def test_a_team_is_created_with_the_name_it_is_given() -> None:
    given().when(create_team("Compilers")).then(CREATED)


def test_a_team_is_created_once() -> None:
    given(CREATED).when(create_team("Linkers")).then_refused(Refusal.TEAM_EXISTS)


@pytest.mark.parametrize("command", [record(), *ON_PATTERN])
def test_a_team_that_nobody_created_has_no_library(command: SingleCommand) -> None:
    given().when(command).then_refused(Refusal.UNKNOWN_TEAM)


# ---------------------------------------------------------------- recording


def test_a_pattern_is_recorded_with_its_fields_as_they_are() -> None:
    command = record(severity="low", x={"b": 1.0, "a": None})
    given(CREATED).when(command).then(
        PatternRecorded(fields={"name": "Race", "severity": "low", "x": {"b": 1.0, "a": None}})
    )


@pytest.mark.parametrize("later", [(), (ARCHIVED,), (DELETED,)])
def test_a_patterns_id_is_never_used_again(later: tuple[PatternArchived | PatternDeleted, ...]) -> None:
    command = record(name="Another name")
    given(CREATED, RECORDED, *later).when(command).then_refused(Refusal.PATTERN_EXISTS)


def test_a_name_belongs_to_one_live_pattern() -> None:
    given(CREATED, RECORDED).when(record(OTHER, name="Race")).then_refused(Refusal.NAME_TAKEN, PATTERN)


def test_names_are_the_same_when_their_composed_forms_are() -> None:
    cafe = PatternRecorded(fields={"name": "cafe\u0301"})
    given(CREATED, cafe).when(record(OTHER, name="caf\u00e9")).then_refused(Refusal.NAME_TAKEN, PATTERN)
    given(CREATED, cafe).when(record(OTHER, name="Caf\u00e9")).then(
        PatternRecorded(fields={"name": "Caf\u00e9"})
    )


@pytest.mark.parametrize("freeing", [ARCHIVED, DELETED, edited(1, name="Data race")])
def test_a_name_is_free_again_when_its_pattern_lets_go_of_it(
    freeing: PatternArchived | PatternDeleted | PatternEdited,
) -> None:
    given(CREATED, RECORDED, freeing).when(record(OTHER)).then(PatternRecorded(fields={"name": "Race"}))


# ---------------------------------------------------------------- editing


def test_an_edit_of_the_newest_version_is_accepted() -> None:
    command = edit(1, "x", severity="high", new=1)
    given(CREATED, RECORDED).when(command).then(edited(1, "x", severity="high", new=1))


def test_a_field_that_was_never_there_may_be_removed() -> None:
    given(CREATED, RECORDED).when(edit(1, "never")).then(edited(1, "never"))


def test_an_edit_of_other_fields_than_changed_meanwhile_is_merged() -> None:
    given(CREATED, RECORDED, edited(1, severity="high")).when(edit(1, x=2)).then_merged(edited(1, x=2))


def test_an_edit_is_merged_across_archiving_and_restoring() -> None:
    given(CREATED, RECORDED, ARCHIVED, RESTORED).when(edit(1, x=2)).then_merged(edited(1, x=2))


def test_an_edit_of_what_changed_meanwhile_is_a_conflict_that_names_the_fields() -> None:
    history = (CREATED, RECORDED, edited(1, "x", severity="high", y=1))
    given(*history).when(edit(1, x=2, severity="medium", z=3)).then_conflict(2, "x", "severity")
    given(*history).when(edit(1, y=2)).then_conflict(2, "y")
    given(*history).when(edit(1, "severity")).then_conflict(2, "severity")


# ---------------------------------------------------------------- merging


TEXT = "first\nsecond\nthird\n"
WRITTEN = PatternRecorded(fields={"name": "Race", "solution": TEXT, "tags": ["a"], "counters": {"seen": 1}})


def test_edits_of_one_text_merge_by_line_and_the_event_says_what_its_editor_wrote() -> None:
    theirs, mine = "First\nsecond\nthird\n", "first\nsecond\nTHIRD\n"
    wrote = MergedField(rule=Rule.TEXT, mine=mine)
    event = edited(1, solution="First\nsecond\nTHIRD\n", x=1, merged={"solution": wrote})
    given(CREATED, WRITTEN, edited(1, solution=theirs)).when(edit(1, solution=mine, x=1)).then_merged(event)


def test_tags_and_counters_hold_what_both_sides_did() -> None:
    history = (CREATED, WRITTEN, edited(1, tags=["a", "b"], counters={"seen": 3}))
    command = edit(1, tags=["c"], counters={"seen": 2, "new": 1})
    event = edited(
        1,
        tags=["b", "c"],
        counters={"new": 1, "seen": 4},
        merged={
            "tags": MergedField(rule=Rule.TAGS, mine=["c"]),
            "counters": MergedField(rule=Rule.COUNTERS, mine={"seen": 2, "new": 1}),
        },
    )
    given(*history).when(command).then_merged(event)


def test_equal_changes_are_no_conflict() -> None:
    given(CREATED, RECORDED, edited(1, severity="high")).when(edit(1, severity="high")).then_merged(
        edited(1, severity="high")
    )
    given(CREATED, RECORDED, edited(1, "x")).when(edit(1, "x")).then_merged(edited(1, "x"))


def test_an_edit_that_says_what_its_editor_had_seen_leaves_the_newer_value() -> None:
    history = given(CREATED, RECORDED, edited(1, severity="high"))
    history.when(edit(1, severity="low")).then_merged(edited(1))
    history.when(edit(1, severity="low", x=2)).then_merged(edited(1, x=2))


def test_one_field_that_does_not_merge_holds_up_the_whole_edit() -> None:
    history = (CREATED, WRITTEN, edited(1, solution="other\nsecond\nthird\n", tags=["b"]))
    given(*history).when(edit(1, solution="another\nsecond\nthird\n", tags=["c"])).then_conflict(
        2, "solution"
    )


def test_an_edit_whose_event_would_take_too_much_is_refused() -> None:
    long, other = "x" * 2 * MAX_PATTERN_BYTES, "y" * (MAX_PATTERN_BYTES - 500)
    history = (
        CREATED,
        PatternRecorded(fields={"name": "Race", "solution": f"keep\n{long}\nend"}),
        edited(1, solution="keep\nend"),
    )
    given(*history).when(edit(1, solution=f"keep\n{long}\nend\n{other}")).then_refused(Refusal.TOO_LARGE)


def test_an_edit_that_keeps_the_name_it_had_seen_does_not_want_it_back() -> None:
    history = (CREATED, RECORDED, edited(1, name="Deadlock"), in_pattern(OTHER, RECORDED))
    given(*history).when(edit(1, name="Race", severity="high")).then_merged(edited(1, severity="high"))


def test_what_merges_to_too_much_is_refused() -> None:
    half = "x" * (MAX_PATTERN_BYTES * 2 // 3)
    history = (CREATED, WRITTEN, edited(1, solution=f"{half}\n{TEXT}"))
    given(*history).when(edit(1, solution=f"{TEXT}{half}\n")).then_refused(Refusal.TOO_LARGE)


def test_a_field_removed_and_set_again_elsewhere_is_a_conflict_too() -> None:
    history = (CREATED, RECORDED, edited(1, "x"), edited(2, x=[1]))
    given(*history).when(edit(2, x=5)).then_conflict(3, "x")
    given(*history).when(edit(3, x=5)).then(edited(3, x=5))


@pytest.mark.parametrize("base_version", [2, 2**53 - 1])
def test_a_base_version_that_never_existed_is_refused(base_version: int) -> None:
    command = edit(base_version, x=1)
    given(CREATED, RECORDED).when(command).then_refused(Refusal.UNKNOWN_BASE_VERSION, str(base_version), "1")


def test_a_pattern_is_not_renamed_to_what_another_is_called() -> None:
    other = in_pattern(OTHER, PatternRecorded(fields={"name": "Deadlock"}))
    given(CREATED, RECORDED, other).when(edit(1, name="Deadlock")).then_refused(Refusal.NAME_TAKEN, OTHER)


def test_a_pattern_may_be_renamed_to_its_own_name_or_its_own_in_another_form() -> None:
    given(CREATED, RECORDED).when(edit(1, name="Race")).then(edited(1, name="Race"))
    cafe = PatternRecorded(fields={"name": "cafe\u0301"})
    given(CREATED, cafe).when(edit(1, name="caf\u00e9")).then(edited(1, name="caf\u00e9"))


def test_an_archived_pattern_is_not_edited() -> None:
    given(CREATED, RECORDED, ARCHIVED).when(edit(2, x=1)).then_refused(Refusal.PATTERN_ARCHIVED)


# ---------------------------------------------------------------- size


def filler(bytes_left: int) -> str:
    return "f" * bytes_left


def test_a_pattern_may_have_one_mebibyte_of_json_and_not_a_byte_more() -> None:
    room = MAX_PATTERN_BYTES - len(dump({"name": "Race", "x": ""}))
    given(CREATED).when(record(x=filler(room))).then(
        PatternRecorded(fields={"name": "Race", "x": filler(room)})
    )
    given(CREATED).when(record(x=filler(room + 1))).then_refused(Refusal.TOO_LARGE, "1048576")
    given(CREATED).when(record(x="\u00e9" * (room // 2 + 1))).then_refused(Refusal.TOO_LARGE)


def test_what_an_edit_removes_or_replaces_makes_room_for_what_it_sets() -> None:
    room = MAX_PATTERN_BYTES - len(dump({"name": "Race", "x": ""}))
    full = PatternRecorded(fields={"name": "Race", "x": filler(room)})
    given(CREATED, full).when(edit(1, y=1)).then_refused(Refusal.TOO_LARGE)
    given(CREATED, full).when(edit(1, "x", y=filler(room))).then(edited(1, "x", y=filler(room)))
    given(CREATED, full).when(edit(1, x=filler(room - 6), y=1)).then(edited(1, x=filler(room - 6), y=1))


def test_a_pattern_may_have_a_thousand_fields_with_those_it_once_had() -> None:
    most = {f"f{n}": n for n in range(MAX_PATTERN_FIELDS - 1)}
    given(CREATED).when(record(**most)).then(PatternRecorded(fields={"name": "Race", **most}))
    given(CREATED).when(record(**most, more=1)).then_refused(Refusal.TOO_LARGE, "1000")
    full = PatternRecorded(fields={"name": "Race", **most})
    given(CREATED, full).when(edit(1, "f0", f1=2)).then(edited(1, "f0", f1=2))
    given(CREATED, full, edited(1, "f0")).when(edit(2, more=1)).then_refused(Refusal.TOO_LARGE)
    given(CREATED, full, edited(1, "f0")).when(edit(2, "more")).then_refused(Refusal.TOO_LARGE)


# ---------------------------------------------------------------- archiving, restoring, deleting


def test_a_live_pattern_is_archived_and_an_archived_one_restored() -> None:
    given(CREATED, RECORDED).when(archive()).then(ARCHIVED)
    given(CREATED, RECORDED, ARCHIVED).when(restore()).then(RESTORED)


def test_a_pattern_is_archived_or_restored_once() -> None:
    given(CREATED, RECORDED, ARCHIVED).when(archive()).then_refused(Refusal.PATTERN_ARCHIVED)
    given(CREATED, RECORDED).when(restore()).then_refused(Refusal.PATTERN_NOT_ARCHIVED)
    given(CREATED, RECORDED, ARCHIVED, RESTORED).when(restore()).then_refused(Refusal.PATTERN_NOT_ARCHIVED)


def test_a_pattern_is_not_restored_to_a_name_that_another_took_meanwhile() -> None:
    other = in_pattern(OTHER, PatternRecorded(fields={"name": "Race"}))
    given(CREATED, RECORDED, ARCHIVED, other).when(restore()).then_refused(Refusal.NAME_TAKEN, OTHER)


@pytest.mark.parametrize("before", [(), (ARCHIVED,), (ARCHIVED, RESTORED)])
def test_a_pattern_is_deleted_whatever_its_status(
    before: tuple[PatternArchived | PatternRestored, ...],
) -> None:
    given(CREATED, RECORDED, *before).when(delete()).then(DELETED)


@pytest.mark.parametrize("command", ON_PATTERN)
def test_nothing_is_done_to_a_pattern_that_is_not_there(command: SingleCommand) -> None:
    given(CREATED).when(command).then_refused(Refusal.UNKNOWN_PATTERN)


@pytest.mark.parametrize("command", ON_PATTERN)
def test_nothing_is_done_to_a_pattern_that_was_deleted(command: SingleCommand) -> None:
    given(CREATED, RECORDED, DELETED).when(command).then_refused(Refusal.PATTERN_DELETED)
