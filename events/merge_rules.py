"""How the fields of a pattern merge: the rules, which field has which, and what a library may choose.

This is the one place that says so; docs/merging.md explains it, and the read API tells it for each library.
"""

from collections.abc import Mapping
from enum import StrEnum


class Rule(StrEnum):
    """How a field is merged when both sides have changed it."""

    VALUE = "value"
    TEXT = "text"
    TAGS = "tags"
    COUNTERS = "counters"


class Policy(StrEnum):
    """What becomes of an edit of fields that somebody else has changed meanwhile."""

    MERGE = "merge"
    """What can be merged is merged; what cannot is a conflict."""
    REJECT = "reject"
    """The edit is refused, unless both sides say the same, or one of them nothing new."""
    LAST_WRITER_WINS = "last_writer_wins"
    """What can be merged is merged; what cannot becomes what the later one wrote."""


KNOWN_RULES: Mapping[str, Rule] = {
    "name": Rule.VALUE,
    "description": Rule.TEXT,
    "problem": Rule.TEXT,
    "solution": Rule.TEXT,
    "bad_example": Rule.TEXT,
    "good_example": Rule.TEXT,
    "category": Rule.VALUE,
    "severity": Rule.VALUE,
    "tags": Rule.TAGS,
    "counters": Rule.COUNTERS,
}
"""The rules of the known fields, the same in every library."""

DEFAULT_RULE = Rule.VALUE
"""The rule of any other field, unless its library has chosen another."""

_STRICTNESS = (Policy.LAST_WRITER_WINS, Policy.MERGE, Policy.REJECT)


def rule_of(field: str, own: Mapping[str, Rule]) -> Rule:
    """The rule of a field in a library that has these rules of its own."""
    return KNOWN_RULES.get(field) or own.get(field, DEFAULT_RULE)


def stricter(one: Policy, other: Policy | None) -> Policy:
    """The policy that lets fewer edits through; None asks for nothing."""
    return one if other is None else max(one, other, key=_STRICTNESS.index)
