"""What the sender of an event had seen then, and what they had written themselves."""

import pytest

from command_api.decisions.merging import ABSENT, UNKNOWN
from command_api.decisions.seen import Base, Seen, base_after, written_by
from events.merge_rules import Rule
from events.pattern import (
    Choice,
    MergedField,
    PatternArchived,
    PatternDeleted,
    PatternEvent,
    PatternRecorded,
    PatternRestored,
)
from tests.facts import ABANDONED, detected, edited, resolved, sides

WROTE = MergedField(rule=Rule.TAGS, mine=[])
MERGED = edited(3, "gone", x=1, tags=["a"], own={"x": 5, "y": 6}, merged={"tags": WROTE})


@pytest.mark.parametrize(
    "event",
    [
        edited(6, x=1),
        edited(6, x=1, own={"y": 6}),
        resolved(6, {"x": "mine"}, x=1),
    ],
)
def test_who_came_after_nobody_else_has_seen_it_all(event: PatternEvent) -> None:
    assert base_after(event, 7) == Base(version=7)


@pytest.mark.parametrize(
    "event",
    [
        detected(x=sides(1, 2, 3)),
        ABANDONED,
        PatternArchived(),
        PatternRestored(),
        PatternDeleted(),
    ],
)
def test_who_changed_no_field_tells_nothing_of_what_they_had_seen(event: PatternEvent) -> None:
    assert base_after(event, 7) is None


def test_who_resolved_a_conflict_has_not_seen_what_merged_by_itself() -> None:
    event = resolved(6, {"x": "mine", "solution": "merged"}, x=1, solution="merged")
    assert base_after(event, 7) == Base(version=6, own={"x": 7, "solution": 7})
    assert written_by(event, "solution") is UNKNOWN
    assert base_after(resolved(6, {"x": "mine", "y": "merged"}, x=1), 7) == Base(version=7)


def test_who_recorded_a_pattern_has_seen_it() -> None:
    assert base_after(PatternRecorded(fields={"name": "Race"}), 1) == Base(version=1)


def test_who_was_merged_with_others_has_seen_their_base_and_what_they_wrote() -> None:
    assert base_after(MERGED, 9) == Base(version=3, own={"x": 9, "y": 6, "tags": 9, "gone": 9})
    assert base_after(resolved(3, {"x": "mine"}, "gone", x=1), 9) == Base(version=3, own={"x": 9, "gone": 9})


def test_what_was_written_is_not_what_it_was_merged_to() -> None:
    assert written_by(MERGED, "tags") == []
    assert written_by(MERGED, "x") == 1
    assert written_by(MERGED, "gone") is ABSENT


def test_who_resolved_a_conflict_wrote_what_they_chose_and_not_what_was_merged() -> None:
    choices: dict[str, Choice] = {"x": "mine", "y": "new", "text": "merged", "gone": "new"}
    event = resolved(3, choices, "gone", x=1, y=2, text="both")
    assert [written_by(event, name) for name in ("x", "y", "text", "gone")] == [1, 2, UNKNOWN, ABSENT]


@pytest.mark.parametrize("event", [PatternArchived(), ABANDONED, detected(x=sides(1, 2, 3))])
def test_who_wrote_nothing_wrote_nothing(event: PatternEvent) -> None:
    assert written_by(event, "x") is UNKNOWN


def test_who_has_seen_a_later_version_has_seen_what_they_wrote_before_it_as_it_is_there() -> None:
    base = Base(version=3, own={"x": 5, "y": 8})
    assert base.seen_up_to(None) == base.seen_up_to(2) == base.seen_up_to(3) == base
    assert base.seen_up_to(5) == Base(version=5, own={"y": 8})
    assert base.seen_up_to(9) == Base(version=9)


def test_a_base_covers_versions_that_nobody_else_has_made() -> None:
    assert Base(version=3).covers(3)
    assert not Base(version=3).covers(4)
    assert Base(version=3, own={"x": 4, "y": 5}).covers(5)
    assert not Base(version=3, own={"x": 5}).covers(5)
    assert not Base(version=3, own={"x": 4}).covers(5)


def test_a_field_is_seen_as_its_sender_wrote_it_or_as_it_was_at_the_base() -> None:
    base = Base(version=3, own={"x": 5, "gone": 5, "lost": 5})
    seen = Seen(base=base, fields={"x": 1, "y": 1}, written={"x": 2, "gone": ABSENT})
    assert [seen.value(name) for name in ("x", "y", "gone", "never")] == [2, 1, ABSENT, ABSENT]
    assert seen.value("lost") is UNKNOWN
    without = Seen(base=base, fields=None, written={"x": 2})
    assert (without.value("x"), without.value("y")) == (2, UNKNOWN)
