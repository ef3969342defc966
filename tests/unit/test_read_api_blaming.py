"""Blame tells of each field and line the version that wrote it, from the present back to the beginning."""

from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from command_api.decisions.text_merge import merge_text
from events.merge_rules import Rule
from events.pattern import (
    Pattern,
    PatternArchived,
    PatternConflictAbandoned,
    PatternRecorded,
    PatternRestored,
)
from events.registry import Event, from_shape
from events.stream import StreamState, evolve
from read_api import blaming
from read_api.blaming import Blame, Edit
from tests.scribe import detected, edited, resolved
from tests.strategies import REPEATABLE

ONE = "019b76de-5180-7b1c-9c0a-5a1d2e3f4a5b"
NO_RULES: Mapping[str, Rule] = {}


def recorded(**fields: Any) -> PatternRecorded:
    return PatternRecorded(fields={"name": "n", **fields})


def state_after(events: Sequence[Event]) -> Pattern:
    state: StreamState | None = None
    for event in events:
        state = evolve(state, event)
    assert isinstance(state, Pattern)
    return state


def blamed(events: Sequence[Event], own: Mapping[str, Rule] = NO_RULES) -> Blame:
    """A pattern with these events, gone back through for as long as there is reason to."""
    blame = Blame(state_after(events), own)
    for version, event in reversed(list(enumerate(events, start=1))):
        if blame.before is not None:
            blame.go_back([Edit(version=version, event=event)])
    return blame


def lines_of(*events: Event, field: str = "description", own: Mapping[str, Rule] = NO_RULES) -> Any:
    return blamed(events, own).fields()[field]["lines"]


def texts(*written: str) -> list[Event]:
    """A pattern whose description is one text after the other."""
    later = [edited(version, description=text) for version, text in enumerate(written[1:], start=1)]
    return [recorded(description=written[0]), *later]


def test_a_field_is_from_the_version_that_last_wrote_it() -> None:
    blame = blamed(
        [
            recorded(severity="low", tags=["a"], category="c"),
            edited(1, "category", severity="high"),
            edited(2, category="d"),
        ]
    )
    assert blame.fields() == {
        "name": {"version": 1},
        "severity": {"version": 2},
        "tags": {"version": 1},
        "category": {"version": 3},
    }
    assert blame.versions == {1, 2, 3}


def test_a_field_that_is_gone_is_not_told_of() -> None:
    assert set(blamed([recorded(severity="low"), edited(1, "severity")]).fields()) == {"name"}


def test_a_line_is_from_the_version_that_wrote_it() -> None:
    assert lines_of(*texts("a\nb\nc", "a\nB\nc", "a\nB\nc\nd", "zero\na\nB\nd")) == [4, 1, 2, 3]


def test_a_line_that_was_taken_away_and_written_again_is_from_then() -> None:
    assert lines_of(*texts("a\nb", "a", "a\nb")) == [1, 3]


def test_a_text_that_was_taken_away_is_new_when_it_comes_again() -> None:
    assert lines_of(*texts("a\nb"), edited(1, "description"), edited(2, description="a\nb")) == [3, 3]


def test_what_changes_other_fields_or_none_is_passed_over() -> None:
    events = [
        *texts("a\nb", "a\nc"),
        edited(2, severity="low"),
        detected(ONE, description="x"),
        PatternConflictAbandoned(conflict_id=ONE),
        PatternArchived(),
        PatternRestored(),
    ]
    assert lines_of(*events) == [1, 2]


def test_a_resolution_writes_lines_as_an_edit_does() -> None:
    events = [
        *texts("a\nb", "a\nc"),
        detected(ONE, description="a\nx"),
        resolved(ONE, 3, description="a\nc\nx"),
    ]
    assert lines_of(*events) == [1, 2, 4]


def test_an_edit_of_an_older_shape_is_read() -> None:
    older = from_shape("pattern.edited.v1", {"base_version": 1, "set": {"description": "a\nc"}, "remove": []})
    assert lines_of(*texts("a\nb"), older, edited(2, severity="low")) == [1, 2]


def test_of_a_merged_text_each_side_keeps_its_lines() -> None:
    events = texts("one\ntwo\nthree\nfour", "ONE\ntwo\nthree\nfour")
    assert lines_of(*events, edited(1, description="ONE\ntwo\nthree\nFOUR")) == [2, 1, 1, 3]


def test_a_library_says_which_of_its_own_fields_are_texts() -> None:
    events: list[Event] = [
        recorded(**{"x-notes": 7}),
        edited(1, **{"x-notes": "a"}),
        edited(2, **{"x-notes": "a\nb"}),
    ]
    assert lines_of(*events, field="x-notes", own={"x-notes": Rule.TEXT}) == [2, 3]
    assert blamed(events).fields()["x-notes"] == {"version": 3}
    assert blamed(events[:1], {"x-notes": Rule.TEXT}).fields()["x-notes"] == {"version": 1}


def test_an_empty_text_has_one_line() -> None:
    assert lines_of(*texts("a\nb", "")) == [2]
    assert lines_of(*texts("a\n", "a\n\n")) == [1, 1, 2]


def test_a_text_that_grew_by_many_lines_is_compared() -> None:
    many = "\n".join(map(str, range(3000)))
    assert lines_of(*texts("a\nb", f"a\n{many}\nb")) == [1, *[2] * 3000, 1]


@pytest.mark.parametrize("lines", [2_000, 20_001])
def test_a_text_that_cannot_be_compared_is_from_one_version_as_a_whole(lines: int) -> None:
    before, after = (
        "\n".join(f"both {number}" if number % 2 else f"{side} {number}" for number in range(lines))
        for side in ("old", "new")
    )
    assert lines_of(*texts(f"{before}\nlast", f"{after}\nlast", f"{after}\nlast\n")) == (
        [*[2] * (lines + 1), 3] if lines < 20_000 else [3] * (lines + 2)
    )


def test_going_back_ends_when_every_line_is_accounted_for() -> None:
    events = texts("a", "b", "b\nc", "b\nc\nd")
    blame = Blame(state_after(events), {})
    places = []
    for version in (3, 2, 1):
        places.append(blame.before)
        blame.go_back([Edit(version=version, event=events[version - 1])])
    assert places == [4, 3, 2]
    assert blame.before is None
    assert blame.fields()["description"] == {"version": 4, "lines": [2, 3, 4]}


def test_a_text_that_was_never_edited_needs_no_history() -> None:
    assert Blame(state_after([*texts("a\nb"), edited(1, severity="low")]), {}).before is None


def test_lines_that_were_not_gone_back_to_are_told_to_be_older() -> None:
    events = texts("a", "a\nb", "a\nb\nc", "a\nb\nc\nd")
    blame = Blame(state_after(events), {})
    assert blame.fields()["description"] == {"version": 4, "lines": [None] * 4, "before": 5}
    blame.go_back([Edit(version=4, event=events[3]), Edit(version=3, event=events[2])])
    assert blame.fields()["description"] == {"version": 4, "lines": [None, None, None, 4], "before": 4}
    assert blame.versions == {1, 4}


def test_comparing_ends_when_it_takes_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blaming, "MAX_EFFORT", 40)
    blame = blamed(texts(*("\n".join(map(str, range(size))) for size in range(1, 30))))
    found = blame.fields()["description"]
    assert found["lines"][-1] == 29
    assert found["lines"][0] is None
    assert found["lines"].count(None) == found["before"] - 1
    assert blame.before is None


class Sources(list[int | None]):
    """What the lines are from; it cannot be gone through."""

    def __contains__(self, _: object) -> bool:
        raise AssertionError("a text with half a million lines is not gone through for every edit")

    __iter__ = __contains__  # type: ignore[assignment]


def test_the_lines_of_a_large_text_are_not_gone_through_again_for_every_edit() -> None:
    events: list[Event] = [recorded(description="", problem="a"), edited(1, problem="a\nb")]
    events += [edited(2, description="x"), edited(3, description="\n" * 20_000)]
    blame = Blame(state_after(events), NO_RULES)
    text = blame._texts["description"]
    text.sources = Sources(text.sources)
    blame.go_back(Edit(version=at, event=events[at - 1]) for at in (3, 2, 1))
    assert set(text.sources[:]) == {4}
    assert blame.before is None


cuts = st.tuples(st.integers(0, 12), st.integers(0, 4), st.integers(0, 4))
"""Where an edit cuts a text, how many lines it takes out there, and how many new ones it puts in."""


@REPEATABLE
@given(first=st.integers(0, 6), edits=st.lists(cuts, max_size=12))
def test_each_line_is_from_the_edit_that_wrote_it(first: int, edits: list[tuple[int, int, int]]) -> None:
    numbers = count()
    lines = [(f"line {next(numbers)}", 1) for _ in range(first + 1)]
    written = [[text for text, _ in lines]]
    for version, (start, taken, put) in enumerate(edits, start=2):
        lines[start : start + taken] = [(f"line {next(numbers)}", version) for _ in range(put)]
        # A text has a line, if only an empty one.
        lines = lines or [(f"line {next(numbers)}", version)]
        written.append([text for text, _ in lines])
    assert lines_of(*texts(*map("\n".join, written))) == [version for _, version in lines]


@REPEATABLE
@given(written=st.lists(st.lists(st.sampled_from("ab"), min_size=1, max_size=6), min_size=1, max_size=8))
def test_lines_that_look_alike_are_from_versions_that_have_them(written: list[list[str]]) -> None:
    found = lines_of(*texts(*map("\n".join, written)))
    assert len(found) == len(written[-1])
    for line, version in zip(written[-1], found, strict=True):
        assert all(line in text for text in written[version - 1 :])


@REPEATABLE
@given(theirs=cuts, mine=cuts)
def test_of_two_edits_that_merge_each_has_written_its_own_lines(
    theirs: tuple[int, int, int], mine: tuple[int, int, int]
) -> None:
    base = [f"base {number}" for number in range(12)]
    sides = []
    for side, (start, taken, put) in (("theirs", theirs), ("mine", mine)):
        new = [f"{side} {number}" for number in range(put)]
        sides.append("\n".join([*base[:start], *new, *base[start + taken :], "end"]))
    text = "\n".join([*base, "end"])
    merged = merge_text(text, *sides)
    if merged is None:
        return
    versions = {"base": 1, "end": 1, "theirs": 2, "mine": 3}
    wanted = [versions[line.partition(" ")[0]] for line in merged.split("\n")]
    assert lines_of(*texts(text, sides[0]), edited(1, description=merged)) == wanted
