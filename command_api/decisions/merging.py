"""Merging what two people made of one field, against the value that both began with.

| rule | fields | merged |
| --- | --- | --- |
| text | description, problem, solution and the examples | by line, where the changes do not meet |
| tags | tags | both sides' additions and removals |
| counters | counters | both sides' increments, never below 0: two that count one each count two |
| value | every other | only if both sides say the same, or one of them nothing new |

The result does not depend on which side came first.
"""

from collections.abc import Mapping
from enum import Enum, StrEnum
from typing import Any, Final, assert_never

from command_api.decisions.text_merge import merge_text
from events.json_text import MAX_INTEGER, same


class Rule(StrEnum):
    """How a field is merged."""

    VALUE = "value"
    TEXT = "text"
    TAGS = "tags"
    COUNTERS = "counters"


RULES: Mapping[str, Rule] = {
    "description": Rule.TEXT,
    "problem": Rule.TEXT,
    "solution": Rule.TEXT,
    "bad_example": Rule.TEXT,
    "good_example": Rule.TEXT,
    "tags": Rule.TAGS,
    "counters": Rule.COUNTERS,
}
"""By field; every other one is merged by `Rule.VALUE`."""


class NoValue(Enum):
    """What stands for a field's value where there is none."""

    ABSENT = "absent"
    UNKNOWN = "unknown"
    """It is, or was, some value or absent: nothing is the same as that."""


ABSENT: Final = NoValue.ABSENT
UNKNOWN: Final = NoValue.UNKNOWN

Value = Any
"""JSON, or `NoValue`."""


class Clash(Exception):
    """Both sides changed the field, and not to something that goes together."""


def rule_of(field: str) -> Rule:
    """The rule that a field is merged by."""
    return RULES.get(field, Rule.VALUE)


def merge_field(rule: Rule, base: Value, theirs: Value, mine: Value) -> Value:
    """The value that holds both sides' changes to the base; raise `Clash`."""
    counts_twice = rule is Rule.COUNTERS and base is not UNKNOWN and theirs is not ABSENT
    if (_same(theirs, mine) and not counts_twice) or _same(base, mine):
        return theirs
    if _same(base, theirs):
        return mine
    if base is UNKNOWN or theirs is ABSENT or mine is ABSENT:
        raise Clash
    match rule:
        case Rule.VALUE:
            raise Clash
        case Rule.TEXT:
            return _merged_text(base, theirs, mine)
        case Rule.TAGS:
            return _merged_tags([] if base is ABSENT else base, theirs, mine)
        case Rule.COUNTERS:
            return _merged_counters({} if base is ABSENT else base, theirs, mine)
        case _:
            assert_never(rule)


def _same(one: Value, other: Value) -> bool:
    if isinstance(one, NoValue) or isinstance(other, NoValue):
        return one is other and one is not UNKNOWN
    return same(one, other)


def _merged_text(base: Value, theirs: str, mine: str) -> str:
    # Two texts that were begun apart are no changes of one another.
    merged = merge_text(base, theirs, mine) if isinstance(base, str) else None
    if merged is None:
        raise Clash
    return merged


def _merged_tags(base: list[str], theirs: list[str], mine: list[str]) -> list[str]:
    before, ours, other = set(base), set(mine), set(theirs)
    both = ours & other
    kept = [tag for tag in base if tag in both]
    return kept + sorted((ours | other) - before)


def _merged_counters(base: dict[str, int], theirs: dict[str, int], mine: dict[str, int]) -> dict[str, int]:
    """A counter that is not there counts as 0; one that a side takes away stays if the other moved it."""
    merged = {}
    for name in sorted({*theirs, *mine}):
        holders = [side for side in (theirs, mine) if name in side]
        if len(holders) == 1 and base.get(name) == holders[0][name]:
            continue
        moved = theirs.get(name, 0) + mine.get(name, 0) - base.get(name, 0)
        merged[name] = min(max(moved, 0), MAX_INTEGER)
    return merged
