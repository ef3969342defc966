"""What the detection of a conflict and its end make of a pattern."""

from dataclasses import replace

import pytest

from events.errors import ImpossibleEvent
from events.pattern import (
    Pattern,
    PatternArchived,
    PatternDeleted,
    PatternEvent,
    PatternRestored,
    PatternState,
    evolve,
)
from tests.commands import CONFLICT
from tests.facts import ABANDONED, detected, edited, resolved, sides

LIVE = Pattern(
    version=3,
    status="live",
    fields={"name": "Race", "x": {"b": 1, "a": [1.0, None]}},
    field_versions={"name": 1, "x": 3, "gone": 2},
)
IN_CONFLICT = replace(LIVE, version=4, conflicts={CONFLICT: 4})


def test_a_conflict_is_a_version_that_changes_no_field_and_is_open_until_it_ends() -> None:
    assert evolve(LIVE, detected(x=sides(1, 2, 3))) == IN_CONFLICT
    assert evolve(IN_CONFLICT, ABANDONED) == replace(LIVE, version=5)
    done = evolve(IN_CONFLICT, resolved(4, {"x": "new", "gone": "mine", "name": "theirs"}, "gone", x=9))
    assert done == replace(
        LIVE,
        version=5,
        fields={"name": "Race", "x": 9},
        field_versions={"name": 1, "x": 5, "gone": 5},
    )


def test_other_conflicts_stay_open_through_whatever_happens() -> None:
    other = "019b76de-5180-7b1c-9c0a-5a1d2e3f4a5b"
    state: PatternState = IN_CONFLICT
    for event in (
        detected(conflict_id=other, x=sides(1, 2, 3)),
        edited(5, x=1),
        PatternArchived(),
        PatternRestored(),
        ABANDONED,
    ):
        state = evolve(state, event)
    assert isinstance(state, Pattern)
    assert state.conflicts == {other: 5}


@pytest.mark.parametrize(
    ("state", "event"),
    [
        (IN_CONFLICT, detected(x=sides(1, 2, 3))),
        (LIVE, ABANDONED),
        (LIVE, resolved(3, {"x": "new"}, x=1)),
    ],
)
def test_a_conflict_is_detected_once_and_ends_once(state: PatternState, event: PatternEvent) -> None:
    with pytest.raises(ImpossibleEvent):
        evolve(state, event)


def test_a_pattern_that_is_deleted_takes_its_conflicts_along() -> None:
    tombstone = evolve(IN_CONFLICT, PatternDeleted())
    for event in (ABANDONED, resolved(4, {"x": "new"}, x=1)):
        with pytest.raises(ImpossibleEvent):
            evolve(tombstone, event)


@pytest.mark.parametrize(
    "event", [resolved(4, {"name": "new"}, "name"), resolved(4, {"name": "new"}, name=1)]
)
def test_a_pattern_has_a_name_after_a_resolution_too(event: PatternEvent) -> None:
    with pytest.raises(ImpossibleEvent, match="without a name"):
        evolve(IN_CONFLICT, event)
