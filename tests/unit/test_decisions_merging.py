"""A field that two people changed: merged by its rule, whichever came first, or a clash."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from command_api.decisions.merging import ABSENT, UNKNOWN, Clash, Value, merge_field, same_value
from events.json_text import MAX_INTEGER, Json
from events.merge_rules import Rule
from tests.strategies import json_values

counters = st.dictionaries(st.sampled_from("xyz"), st.integers(0, 9), max_size=3)
tags = st.lists(st.sampled_from("pqrst"), unique=True, max_size=4)
texts = st.lists(st.sampled_from("abc"), max_size=6).map("\n".join)


def merged(rule: Rule, base: Value, theirs: Value, mine: Value, *, strictly: bool = False) -> Value:
    """The merged value, or `Clash`."""
    try:
        return merge_field(rule, base, theirs, mine, strictly=strictly)
    except Clash:
        return Clash


@pytest.mark.parametrize("rule", Rule)
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
    # Two that count may have counted both.
    assert merged(rule, UNKNOWN, theirs, theirs) == (Clash if rule is Rule.COUNTERS else theirs)


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


# ---------------------------------------------------------------- fields of a library's own hold anything


@pytest.mark.parametrize(
    ("rule", "fitting", "others"),
    [
        (Rule.TEXT, "a\nb", [None, 1, ["a"], {"a": 1}]),
        (Rule.TAGS, ["a"], [None, "a", ["a", "a"], [1], [""], {"a": 1}]),
        (Rule.COUNTERS, {"a": 1}, [None, 1, ["a"], {"a": -1}, {"a": 1.0}, {"a": True}, {"a": {}}]),
    ],
)
def test_what_has_not_the_shape_of_its_rule_clashes(rule: Rule, fitting: Json, others: list[Json]) -> None:
    for other in others:
        assert merged(rule, other, fitting, "mine") is Clash
        assert merged(rule, fitting, other, "mine") is Clash
        assert merged(rule, fitting, "theirs", other) is Clash
        assert merged(rule, other, fitting, fitting) == fitting
        assert merged(rule, fitting, other, other) == other
        assert merged(rule, ABSENT, other, other) == other


@given(rule=st.sampled_from(Rule), base=json_values(3), one=json_values(3), other=json_values(3))
def test_any_values_merge_alike_in_both_orders_or_clash_by_every_rule(
    rule: Rule, base: Json, one: Json, other: Json
) -> None:
    first, second = merged(rule, base, one, other), merged(rule, base, other, one)
    assert (first is second is Clash) or same_value(first, second)


@pytest.mark.parametrize("rule", Rule)
def test_strictly_only_one_change_or_the_same_one_goes_through(rule: Rule) -> None:
    assert merged(rule, "a", "b", "b", strictly=True) == "b"
    assert merged(rule, "a", "b", "a", strictly=True) == "b"
    assert merged(rule, "a", "a", "b", strictly=True) == "b"
    assert merged(rule, "a", ABSENT, ABSENT, strictly=True) is ABSENT
    assert merged(rule, "a", "b", "c", strictly=True) is Clash
    assert merged(rule, "a\nb\nc", "A\nb\nc", "a\nb\nC", strictly=True) is Clash
    assert merged(rule, [], ["a"], ["b"], strictly=True) is Clash
    counted_twice = merged(rule, {"a": 1}, {"a": 2}, {"a": 2}, strictly=True)
    assert counted_twice == (Clash if rule is Rule.COUNTERS else {"a": 2})


def test_what_is_not_known_is_the_same_as_nothing() -> None:
    assert not same_value(UNKNOWN, UNKNOWN)
    assert not same_value(UNKNOWN, ABSENT)
    assert same_value(ABSENT, ABSENT)
    assert not same_value(ABSENT, None)


# ---------------------------------------------------------------- whichever side is first


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
