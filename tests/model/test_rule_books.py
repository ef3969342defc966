"""Two teams bring one rule book up to two later ones: what both wrote is there, or in a conflict."""

import sys
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from demo.rules import pattern_of, rule_book
from events.identifiers import uuid7
from events.json_text import Json, same
from events.merge_rules import KNOWN_RULES, Rule
from events.outcome import Outcome
from events.pattern import Pattern, PatternConflictDetected, stream_of
from tests.model.editors import NOW_MS
from tests.rule_books import NEW, OLD, book_of
from tests.simulated_decider import SimulatedDecider

TEAM = "0198c0de-0000-7000-8000-00000000000a"
Book = Mapping[str, dict[str, Any]]

pytestmark = pytest.mark.timeout(600)


@dataclass(frozen=True, kw_only=True)
class Result:
    """What two teams' edits came to: the patterns, and the conflicts, by the rules' codes."""

    patterns: dict[str, Pattern]
    conflicts: dict[str, PatternConflictDetected]
    statuses: dict[str, int]


@pytest.fixture(scope="module")
def books() -> tuple[Book, Book, Book]:
    """One to begin with, and two later ones. A new name is no edit of the same text: it stays."""
    base, one = book_of(OLD), book_of(NEW)
    other = {rule["code"]: pattern_of(rule) for rule in rule_book() if rule["code"]}
    for later in (one, other):
        for code in later.keys() & base.keys():
            later[code]["name"] = base[code]["name"]
    return base, one, other


def test_every_change_of_two_later_books_is_in_the_result_or_in_a_conflict(
    books: tuple[Book, Book, Book],
) -> None:
    base, one, other = books
    result = edited(base, one, other)
    sys.stdout.write(f"{len(base)} patterns, outcomes of both teams' edits: {result.statuses}\n")
    assert result.statuses["merged"] > 100
    assert result.statuses["conflict"] > 10
    for code in base.keys() & one.keys() & other.keys():
        conflict = result.conflicts.get(code)
        old, new, newer = base[code], one[code], base[code] if conflict else other[code]
        after = result.patterns[code].fields
        for name in {*old, *new, *newer}:
            check(name, old.get(name), new.get(name), newer.get(name), after.get(name))
        if conflict is not None:
            mine = {name: sides.mine.value for name, sides in conflict.fields.items() if sides.mine}
            assert mine == changes(base[code], other[code])


def test_who_came_first_makes_no_difference_where_both_merge(books: tuple[Book, Book, Book]) -> None:
    base, one, other = books
    first, second = edited(base, one, other), edited(base, other, one)
    assert first.conflicts.keys() == second.conflicts.keys()
    for code in first.patterns.keys() - first.conflicts.keys():
        assert first.patterns[code].fields == second.patterns[code].fields


def check(name: str, old: Json, one: Json, other: Json, after: Json) -> None:
    """A field holds what either side made of it, and nothing that nobody wrote."""
    if one is None or other is None:
        # The import of a book takes no field away.
        one, other = (old if side is None else side for side in (one, other))
    if old is not None and KNOWN_RULES.get(name) is Rule.TEXT:
        before, left, right, now = (set(str(text).split("\n")) for text in (old, one, other, after))
        assert now <= left | right
        assert (left - before) | (right - before) <= now
        assert not now & ((before - left) | (before - right)) - (left - before) - (right - before)
    else:
        assert same(after, one if same(old, other) or same(one, other) else other)


def changes(old: Mapping[str, Json], new: Mapping[str, Json]) -> dict[str, Json]:
    """The fields that an import of the new pattern sets."""
    return {name: value for name, value in new.items() if name not in old or not same(value, old[name])}


def edited(base: Book, one: Book, other: Book) -> Result:
    """Record a book, and let two teams edit it that have not seen one another's edits."""
    ids = {code: str(uuid.UUID(int=number)) for number, code in enumerate(base, 1)}
    decider = SimulatedDecider()
    commands: list[dict[str, Json]] = [{"type": "create_team", "name": "Keepers"}]
    commands += [
        {"type": "record_pattern", "pattern_id": ids[code], "fields": pattern}
        for code, pattern in base.items()
    ]
    for book in (one, other):
        for code in base.keys() & book.keys():
            if given := changes(base[code], book[code]):
                edit = {"type": "edit_pattern", "pattern_id": ids[code], "base_version": 1, "set": given}
                commands.append(edit)
    for number, command in enumerate(commands):
        command_id = uuid7(NOW_MS, number.to_bytes(10, "big"))
        decider.send(TEAM, {**command, "command_id": command_id}, NOW_MS)
    decider.run(len(commands))
    return result_of(decider, ids)


def result_of(decider: SimulatedDecider, ids: Mapping[str, str]) -> Result:
    states, events = decider.states(), decider.events()
    codes = {pattern_id: code for code, pattern_id in ids.items()}
    patterns = {code: states[TEAM, stream_of(pattern_id)] for code, pattern_id in ids.items()}
    outcomes: list[Outcome] = decider.outcomes()
    return Result(
        patterns={code: state for code, state in patterns.items() if isinstance(state, Pattern)},
        conflicts={
            codes[pattern_id]: event
            for pattern_id, event in events
            if isinstance(event, PatternConflictDetected)
        },
        statuses={
            status: sum(outcome.status == status for outcome in outcomes[len(ids) + 1 :])
            for status in ("accepted", "merged", "conflict", "rejected")
        },
    )
