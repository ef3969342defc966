"""Two edits of one version, in either order: the same fields, and no line that nobody wrote."""

from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st

from command_api.decisions.library import stream_for
from command_api.decisions.refusals import Accepted
from events.json_text import Json, same
from events.merge_rules import Policy, Rule
from events.pattern import Pattern, PatternRecorded
from events.team import TeamMergingChanged
from tests.commands import edit, record
from tests.facts import team_created
from tests.specs import Library, given
from tests.strategies import REPEATABLE, json_values

values_of: dict[str, st.SearchStrategy[Json]] = {
    "solution": st.lists(st.sampled_from("abcd"), max_size=6).map("\n".join),
    "tags": st.lists(st.sampled_from("pqrst"), unique=True, max_size=4),
    "counters": st.dictionaries(st.sampled_from("xyz"), st.integers(0, 9), max_size=3),
    "category": st.sampled_from("uvw"),
    "x-notes": st.lists(st.sampled_from("abcd"), max_size=6).map("\n".join) | json_values(2),
    "x-count": st.dictionaries(st.sampled_from("xyz"), st.integers(0, 9), max_size=3) | json_values(2),
    "x": json_values(2),
}
changes = st.fixed_dictionaries({}, optional=values_of).filter(bool)
removals = st.sets(st.sampled_from([*values_of]), max_size=1)
TEXTS = ("solution", "x-notes")


def in_order(base: dict[str, Json], *edits: tuple[dict[str, Json], set[str]]) -> Pattern | None:
    """The pattern after edits of its first version, one upon the other; None where any is no merge."""
    setting = TeamMergingChanged(policy=Policy.MERGE, rules={"x-notes": Rule.TEXT, "x-count": Rule.COUNTERS})
    its_library: Library = given(
        team_created("Compilers"),
        setting,
        PatternRecorded(fields={"name": "Race", **base}),
    ).library
    for fields, removed in edits:
        command = edit(1, *sorted(removed - fields.keys()), **fields)
        if not isinstance(its_library.send(command), Accepted):
            return None
    state = its_library.states[stream_for(record())]
    assert isinstance(state, Pattern)
    return state


@settings(REPEATABLE, max_examples=100)
@for_all(
    base=st.fixed_dictionaries({}, optional=values_of),
    one=st.tuples(changes, removals),
    other=st.tuples(changes, removals),
)
def test_two_edits_of_one_version_merge_to_the_same_in_both_orders(
    base: dict[str, Json], one: tuple[dict[str, Json], set[str]], other: tuple[dict[str, Json], set[str]]
) -> None:
    first, second = in_order(base, one, other), in_order(base, other, one)
    if first is None or second is None:
        assert first is second
        return
    assert same(first.fields, second.fields)
    for name in TEXTS:
        texts = [value for fields in (base, one[0], other[0]) if isinstance(value := fields.get(name), str)]
        merged = first.fields.get(name)
        if isinstance(merged, str):
            assert {*merged.split("\n")} <= {line for text in texts for line in text.split("\n")}


def test_the_edits_that_were_tried_did_merge() -> None:
    merged = in_order(
        {"solution": "a\nb\nc", "counters": {"x": 1}},
        ({"solution": "A\nb\nc", "counters": {"x": 2}}, set()),
        ({"solution": "a\nb\nC", "counters": {"x": 2}}, {"x"}),
    )
    assert merged is not None
    assert (merged.fields["solution"], merged.fields["counters"]) == ("A\nb\nC", {"x": 3})
