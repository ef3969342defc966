"""Archiving, restoring and deleting only what the sender had seen, where the command says so."""

from collections.abc import Callable

import pytest

from command_api.decisions.commands import StatusCommand
from command_api.decisions.refusals import Refusal
from events.pattern import (
    PatternArchived,
    PatternDeleted,
    PatternEvent,
    PatternRecorded,
    PatternRestored,
)
from tests.commands import COMMAND, EARLIER, OTHER, archive, delete, restore
from tests.facts import ABANDONED, detected, edited, sides, team_created
from tests.specs import Fact, Given, given, in_pattern, of_command

CREATED = team_created("Compilers")
RECORDED = PatternRecorded(fields={"name": "Race", "x": 1})
ARCHIVED, RESTORED, DELETED = PatternArchived(), PatternRestored(), PatternDeleted()
Change = Callable[..., StatusCommand]
EACH: list[tuple[Change, tuple[PatternEvent, ...], PatternEvent]] = [
    (archive, (), ARCHIVED),
    (restore, (ARCHIVED,), RESTORED),
    (delete, (), DELETED),
    (delete, (ARCHIVED,), DELETED),
]
each = pytest.mark.parametrize(("change", "before", "event"), EACH)


def history(before: tuple[PatternEvent, ...], *more: PatternEvent | Fact) -> tuple[Given, int]:
    """A pattern after these events, and its version."""
    events = (RECORDED, *more, *before)
    return given(CREATED, *events), len(events)


@each
def test_what_the_sender_had_seen_is_changed(
    change: Change, before: tuple[PatternEvent, ...], event: PatternEvent
) -> None:
    library, version = history(before, edited(1, x=2))
    library.when(change(base_version=version)).then(event)


@each
@pytest.mark.parametrize("unseen", [edited(1, y=1), detected(x=sides(1, 1, 2))])
def test_what_somebody_else_has_changed_since_is_left_alone(
    change: Change, before: tuple[PatternEvent, ...], event: PatternEvent, unseen: PatternEvent
) -> None:
    library, version = history(before, unseen)
    library.when(change(base_version=version - 1)).then_refused(
        Refusal.PATTERN_CHANGED, str(version), current_version=version
    )
    library.when(change()).then(event)


@each
@pytest.mark.parametrize("ahead", [1, 2**52])
def test_a_base_version_that_never_existed_is_refused(
    change: Change, before: tuple[PatternEvent, ...], event: PatternEvent, ahead: int
) -> None:
    library, version = history(before)
    library.when(change(base_version=version + ahead)).then_refused(
        Refusal.UNKNOWN_BASE_VERSION, str(version + ahead)
    )


def test_a_change_after_an_own_edit_goes_through_if_nobody_else_came_between() -> None:
    own = of_command(EARLIER, edited(1, x=2))
    given(CREATED, RECORDED, own).when(archive(base_command=EARLIER)).then(ARCHIVED)
    given(CREATED, RECORDED, own).when(delete(base_command=EARLIER)).then(DELETED)
    later = given(CREATED, RECORDED, own, edited(2, y=1))
    for command in (archive(base_command=EARLIER), delete(base_command=EARLIER)):
        later.when(command).then_refused(Refusal.PATTERN_CHANGED, current_version=3)


def test_an_own_edit_that_was_merged_had_not_seen_what_it_was_merged_with() -> None:
    own = of_command(EARLIER, edited(1, x=2))
    merged = given(CREATED, RECORDED, edited(1, y=1), own)
    merged.when(delete(base_command=EARLIER)).then_refused(Refusal.PATTERN_CHANGED, current_version=3)
    # Its sender may have seen that since.
    merged.when(delete(base_command=EARLIER, base_version=2)).then(DELETED)
    merged.when(delete(base_version=3)).then(DELETED)


def test_a_change_may_be_based_on_another_of_its_kind() -> None:
    given(CREATED, RECORDED, of_command(EARLIER, ARCHIVED)).when(restore(base_command=EARLIER)).then(RESTORED)
    given(CREATED, RECORDED, of_command(EARLIER, ARCHIVED), RESTORED).when(
        delete(base_command=EARLIER)
    ).then_refused(Refusal.UNKNOWN_BASE_COMMAND)
    given(CREATED, of_command(EARLIER, RECORDED)).when(archive(base_command=EARLIER)).then(ARCHIVED)


def test_a_change_of_status_tells_nothing_of_what_its_sender_had_seen() -> None:
    archived = given(CREATED, RECORDED, of_command(EARLIER, ARCHIVED))
    archived.when(delete(base_command=EARLIER)).then_refused(Refusal.UNKNOWN_BASE_COMMAND)
    archived.when(delete(base_version=1, base_command=EARLIER)).then(PatternDeleted())
    unseen = given(CREATED, RECORDED, edited(1, x=2), of_command(EARLIER, ARCHIVED))
    unseen.when(delete(base_version=1, base_command=EARLIER)).then_refused(Refusal.PATTERN_CHANGED)


def test_the_end_of_a_conflict_may_be_the_base() -> None:
    conflict = (RECORDED, edited(1, x=2), detected(x=sides(1, 2, 3)))
    abandoned = given(CREATED, *conflict, of_command(EARLIER, ABANDONED))
    abandoned.when(archive(base_command=EARLIER)).then(ARCHIVED)
    abandoned.when(delete(base_command=EARLIER)).then_refused(Refusal.UNKNOWN_BASE_COMMAND)


@each
def test_a_base_command_that_nobody_knows_is_refused(
    change: Change, before: tuple[PatternEvent, ...], event: PatternEvent
) -> None:
    library, _ = history(before)
    for unknown in (EARLIER, COMMAND):
        library.when(change(base_command=unknown)).then_refused(
            Refusal.UNKNOWN_BASE_COMMAND, base_command=unknown
        )


@each
def test_a_change_that_depends_on_a_refused_command_is_refused(
    change: Change, before: tuple[PatternEvent, ...], event: PatternEvent
) -> None:
    library, _ = history(before)
    library.and_refused(EARLIER).when(change(base_command=EARLIER)).then_refused(
        Refusal.DEPENDS_ON_REFUSED, EARLIER, base_command=EARLIER
    )
    library.and_refused(EARLIER, "conflict").when(change(base_command=EARLIER)).then_refused(
        Refusal.DEPENDS_ON_REFUSED
    )


def test_the_status_comes_after_the_base() -> None:
    given(CREATED, RECORDED, ARCHIVED).when(archive(base_version=2)).then_refused(Refusal.PATTERN_ARCHIVED)
    given(CREATED, RECORDED, ARCHIVED).when(archive(base_version=1)).then_refused(Refusal.PATTERN_CHANGED)
    taken = in_pattern(OTHER, RECORDED)
    given(CREATED, RECORDED, ARCHIVED, taken).when(restore(base_version=2)).then_refused(Refusal.NAME_TAKEN)
