"""Which field merges by which rule, and which of two policies lets fewer edits through."""

import pytest

from command_api.decisions.pattern_fields import KNOWN_FIELDS
from events.merge_rules import KNOWN_RULES, Policy, Rule, rule_of, stricter

MERGE, REJECT, LAST_WRITER_WINS = Policy.MERGE, Policy.REJECT, Policy.LAST_WRITER_WINS


def test_every_known_field_has_a_rule_and_no_other_has() -> None:
    assert list(KNOWN_RULES) == list(KNOWN_FIELDS)
    assert rule_of("severity", {}) is rule_of("name", {}) is rule_of("x-anything", {}) is Rule.VALUE


def test_a_library_has_rules_for_fields_of_its_own_alone() -> None:
    own = {"x-notes": Rule.TEXT, "tags": Rule.VALUE}
    assert rule_of("x-notes", own) is Rule.TEXT
    assert rule_of("tags", own) is Rule.TAGS


@pytest.mark.parametrize(
    ("one", "other", "holds"),
    [
        (MERGE, None, MERGE),
        (LAST_WRITER_WINS, None, LAST_WRITER_WINS),
        (MERGE, REJECT, REJECT),
        (MERGE, LAST_WRITER_WINS, MERGE),
        (LAST_WRITER_WINS, REJECT, REJECT),
        (LAST_WRITER_WINS, LAST_WRITER_WINS, LAST_WRITER_WINS),
    ],
)
def test_the_stricter_policy_holds_whoever_asks_for_it(
    one: Policy, other: Policy | None, holds: Policy
) -> None:
    assert stricter(one, other) is holds
    if other is not None:
        assert stricter(other, one) is holds
