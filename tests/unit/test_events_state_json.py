from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.errors import MalformedRecord
from events.merge_rules import Policy, Rule
from events.pattern import DeletedPattern, Pattern
from events.state_json import dump_state, load_state
from events.team import Team
from tests.strategies import REPEATABLE, json_values, texts

PATTERN = Pattern(
    version=3,
    status="archived",
    fields={"name": "Race", "x": {"b": 1, "a": [1.0, None]}},
    field_versions={"name": 1, "x": 3, "gone": 2},
)

patterns = st.builds(
    Pattern,
    version=st.integers(1, 2**53 - 1),
    status=st.sampled_from(["live", "archived"]),
    fields=st.dictionaries(texts, json_values(4), max_size=4),
    field_versions=st.dictionaries(texts, st.integers(1, 9), max_size=4),
    conflicts=st.dictionaries(st.uuids().map(str), st.integers(1, 9), max_size=3),
)
teams = st.builds(
    Team,
    version=st.integers(1, 2**53 - 1),
    name=texts,
    policy=st.sampled_from(Policy),
    rules=st.dictionaries(texts, st.sampled_from(Rule), max_size=3),
)


@REPEATABLE
@given(patterns | teams)
def test_a_state_is_read_back_as_it_was_kept_with_its_fields_in_order(state: Pattern | Team) -> None:
    assert repr(load_state(dump_state(state))) == repr(state)


@pytest.mark.parametrize("state", [PATTERN, DeletedPattern(version=9), Team(version=1, name="\U0001f9ea")])
def test_a_state_of_any_kind_is_read_back_as_it_was_kept(state: Pattern | DeletedPattern | Team) -> None:
    assert load_state(dump_state(state)) == state


def test_the_text_of_a_state_stays_readable_by_later_versions() -> None:
    kept = '{"kind":"pattern","version":2,"status":"live","fields":{"name":"x"},"field_versions":{"name":2}}'
    state = Pattern(version=2, status="live", fields={"name": "x"}, field_versions={"name": 2})
    assert load_state(kept) == state
    assert dump_state(state) == kept
    assert load_state('{"kind":"deleted_pattern","version":2}') == DeletedPattern(version=2)
    assert load_state('{"kind":"team","version":1,"name":"A"}') == Team(version=1, name="A")
    settings = '{"kind":"team","version":2,"name":"A","policy":"reject","rules":{"x":"text"}}'
    team = Team(version=2, name="A", policy=Policy.REJECT, rules={"x": Rule.TEXT})
    assert load_state(settings) == team
    assert dump_state(team) == settings
    in_conflict = f'{kept.removesuffix("}")},"conflicts":{{"c":2}}}}'
    assert dump_state(replace(state, conflicts={"c": 2})) == in_conflict
    assert load_state(in_conflict) == replace(state, conflicts={"c": 2})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        "{}",
        '{"kind":"member","version":1}',
        '{"kind":["team"],"version":1,"name":"A"}',
        '{"kind":"team","version":1}',
        '{"kind":"team","version":1,"name":"A","more":1}',
        '{"kind":"team","version":1,"name":"A","policy":"none"}',
        '{"kind":"team","version":1,"name":"A","rules":{"x":"none"}}',
    ],
)
def test_text_that_is_no_state_is_malformed(text: str) -> None:
    with pytest.raises(MalformedRecord):
        load_state(text)
