"""A field that two people changed: merged by its rule, whichever came first, or a clash."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from command_api.decisions.merging import (
    ABSENT,
    RULES,
    UNKNOWN,
    Clash,
    Rule,
    Value,
    merge_field,
    rule_of,
)
from command_api.decisions.pattern_fields import KNOWN_FIELDS
from events.json_text import MAX_INTEGER, Json

counters = st.dictionaries(st.sampled_from("xyz"), st.integers(0, 9), max_size=3)
tags = st.lists(st.sampled_from("pqrst"), unique=True, max_size=4)
texts = st.lists(st.sampled_from("abc"), max_size=6).map("\n".join)


def merged(rule: Rule, base: Value, theirs: Value, mine: Value) -> Value:
    """The merged value, or `Clash`."""
    try:
        return merge_field(rule, base, theirs, mine)
    except Clash:
        return Clash


def test_every_rule_is_of_a_known_field_and_other_fields_merge_by_value() -> None:
    assert RULES.keys() <= KNOWN_FIELDS.keys()
    assert rule_of("severity") is rule_of("name") is rule_of("x-anything") is Rule.VALUE


@pytest.mark.parametrize("rule", [rule for rule in Rule if rule is not Rule.COUNTERS])
def test_equal_changes_and_changes_of_one_side_merge_by_every_rule(rule: Rule) -> None:
    assert merged(rule, 1, 2, 2) == 2
    assert merged(rule, 1, 2, 1) == 2
    assert merged(rule, 1, 1, 2) == 2
    assert merged(rule, 1, ABSENT, ABSENT) is ABSENT
    assert merged(rule, ABSENT, 2, 2) == 2


@pytest.mark.parametrize("rule", Rule)
def test_a_change_and_a_removal_clash_by_every_rule(rule: Rule) -> None:
    assert merged(rule, 1, ABSENT, 2) is Clash
    assert merged(rule, 1, 2, ABSENT) is Clash


@pytest.mark.parametrize(
    ("rule", "theirs", "mine"),
    [(Rule.TEXT, "a\nb", "b\na"), (Rule.TAGS, ["a"], ["b"]), (Rule.COUNTERS, {"a": 1}, {"a": 2})],
)
def test_without_the_base_only_equal_changes_merge(rule: Rule, theirs: Json, mine: Json) -> None:
    assert merged(rule, UNKNOWN, theirs, mine) is Clash
    assert merged(rule, UNKNOWN, theirs, theirs) == theirs


def test_values_are_compared_as_json() -> None:
    assert merged(Rule.VALUE, 0, 1, True) is Clash
    assert merged(Rule.VALUE, 0, 1, 1.0) is Clash
    assert merged(Rule.VALUE, {}, {"a": 1, "b": [2]}, {"b": [2], "a": 1}) == {"a": 1, "b": [2]}


def test_texts_that_were_begun_apart_clash() -> None:
    assert merged(Rule.TEXT, ABSENT, "a\n", "b\n") is Clash


def test_tags_are_added_and_removed_on_both_sides() -> None:
    assert merged(Rule.TAGS, ["a", "b", "c"], ["b", "c", "z"], ["a", "b", "d"]) == ["b", "d", "z"]
    assert merged(Rule.TAGS, ABSENT, ["z"], ["a"]) == ["a", "z"]


def test_counters_add_up() -> None:
    assert merged(Rule.COUNTERS, {"seen": 3}, {"seen": 5, "new": 1}, {"seen": 4}) == {"seen": 6, "new": 1}
    assert merged(Rule.COUNTERS, ABSENT, {"seen": 2}, {"seen": 3}) == {"seen": 5}


def test_two_that_count_one_each_count_two() -> None:
    assert merged(Rule.COUNTERS, {"seen": 1}, {"seen": 2}, {"seen": 2}) == {"seen": 3}
    assert merged(Rule.COUNTERS, ABSENT, {"seen": 1}, {"seen": 1}) == {"seen": 2}
    assert merged(Rule.COUNTERS, {"seen": 1}, {"seen": 1}, {"seen": 2}) == {"seen": 2}
    assert merged(Rule.COUNTERS, {"seen": 1}, {"seen": 2}, {"seen": 1}) == {"seen": 2}
    assert merged(Rule.COUNTERS, {"seen": 1}, ABSENT, ABSENT) is ABSENT


def test_a_counter_that_was_taken_away_stays_away_unless_the_other_side_moved_it() -> None:
    assert merged(Rule.COUNTERS, {"a": 3, "b": 3}, {"a": 5, "b": 3}, {"c": 1}) == {"a": 2, "c": 1}


def test_counters_stay_within_what_they_can_be() -> None:
    assert merged(Rule.COUNTERS, {"a": 5}, {"a": 1}, {"a": 2}) == {"a": 0}
    high = {"a": MAX_INTEGER}
    assert merged(Rule.COUNTERS, {"a": MAX_INTEGER - 1}, high, {"a": MAX_INTEGER - 1, "b": 1}) == high | {
        "b": 1
    }


@given(base=tags, one=tags, other=tags)
def test_tags_do_not_mind_which_side_is_first(base: Json, one: Json, other: Json) -> None:
    first = merged(Rule.TAGS, base, one, other)
    if one not in (base, other) and other != base:
        assert first == merged(Rule.TAGS, base, other, one)
    assert set(first) == {*base, *one, *other} - ({*base} - {*one}) - ({*base} - {*other})
    assert len(first) == len(set(first))


@given(base=counters, one=counters, other=counters)
def test_counters_do_not_mind_which_side_is_first(base: Json, one: Json, other: Json) -> None:
    assert merged(Rule.COUNTERS, base, one, other) == merged(Rule.COUNTERS, base, other, one)


@given(base=texts, one=texts, other=texts)
def test_texts_do_not_mind_which_side_is_first(base: Json, one: Json, other: Json) -> None:
    assert merged(Rule.TEXT, base, one, other) == merged(Rule.TEXT, base, other, one)
