"""Merging what two people made of one field, against the value that both began with.

| rule | merged |
| --- | --- |
| text | by line, where the changes do not meet |
| tags | both sides' additions and removals |
| counters | both sides' increments, never below 0: two that count one each count two |
| value | only if both sides say the same, or one of them nothing new |

Which field has which rule is declared in events/merge_rules.py. The result does not depend on which side
came first.
"""

from collections.abc import Callable
from enum import Enum
from typing import Any, Final, assert_never

from command_api.decisions.pattern_fields import is_counters, is_tags
from command_api.decisions.text_merge import merge_text
from events.json_text import MAX_INTEGER, same
from events.merge_rules import Rule


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


def merge_field(rule: Rule, base: Value, theirs: Value, mine: Value, *, strictly: bool = False) -> Value:
    """The value that holds both sides' changes to the base; raise `Clash`.

    Strictly, two changes do not go together unless they are one.
    """
    counted = isinstance(base, NoValue) or is_counters(base)
    counts_twice = rule is Rule.COUNTERS and is_counters(theirs) and counted
    if (same_value(theirs, mine) and not counts_twice) or same_value(base, mine):
        return theirs
    if same_value(base, theirs):
        return mine
    if strictly or base is UNKNOWN or theirs is ABSENT or mine is ABSENT:
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


def same_value(one: Value, other: Value) -> bool:
    """Whether two values are the same JSON, or both absent; what is not known is the same as nothing."""
    if isinstance(one, NoValue) or isinstance(other, NoValue):
        return one is other and one is not UNKNOWN
    return same(one, other)


def _check(is_of_rule: Callable[[Value], bool], *sides: Value) -> None:
    """Raise `Clash` for sides that a rule cannot merge: a field of a library's own may hold anything."""
    if not all(map(is_of_rule, sides)):
        raise Clash


def _is_text(value: Value) -> bool:
    return isinstance(value, str)


def _merged_text(base: Value, theirs: str, mine: str) -> str:
    # Two texts that were begun apart are no changes of one another.
    _check(_is_text, base, theirs, mine)
    merged = merge_text(base, theirs, mine)
    if merged is None:
        raise Clash
    return merged


def _merged_tags(base: list[str], theirs: list[str], mine: list[str]) -> list[str]:
    _check(is_tags, base, theirs, mine)
    before, ours, other = set(base), set(mine), set(theirs)
    both = ours & other
    kept = [tag for tag in base if tag in both]
    return kept + sorted((ours | other) - before)


def _merged_counters(base: dict[str, int], theirs: dict[str, int], mine: dict[str, int]) -> dict[str, int]:
    """A counter that is not there counts as 0; one that a side takes away stays if the other moved it."""
    _check(is_counters, base, theirs, mine)
    merged = {}
    for name in sorted({*theirs, *mine}):
        holders = [side for side in (theirs, mine) if name in side]
        if len(holders) == 1 and base.get(name) == holders[0][name]:
            continue
        moved = theirs.get(name, 0) + mine.get(name, 0) - base.get(name, 0)
        merged[name] = min(max(moved, 0), MAX_INTEGER)
    return merged
