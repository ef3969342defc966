"""What becomes of an edit of fields that somebody else has changed, by policy and by rule."""

import pytest

from command_api.decisions.limits import MAX_MERGED_TEXTS
from command_api.decisions.merging import ABSENT, Value
from command_api.decisions.refusals import Conflict, Refusal
from events.json_text import Json
from events.merge_rules import Policy, Rule
from events.pattern import MergedField, PatternRecorded
from events.team import TeamMergingChanged
from tests.commands import edit
from tests.facts import edited, team_created
from tests.specs import Decided, Given, given

CREATED = team_created("Compilers")
MERGE, REJECT, LAST_WRITER_WINS = Policy.MERGE, Policy.REJECT, Policy.LAST_WRITER_WINS
OWN = {"x-text": Rule.TEXT, "x-tags": Rule.TAGS, "x-counters": Rule.COUNTERS}
NAME_OF = {Rule.VALUE: "x", Rule.TEXT: "x-text", Rule.TAGS: "x-tags", Rule.COUNTERS: "x-counters"}
MERGEABLE: dict[Rule, tuple[Json, Json, Json, Json]] = {
    Rule.TEXT: ("a\nb\nc", "A\nb\nc", "a\nb\nC", "A\nb\nC"),
    Rule.TAGS: (["a"], ["a", "b"], ["c"], ["b", "c"]),
    Rule.COUNTERS: ({"n": 1}, {"n": 2}, {"n": 3}, {"n": 4}),
}
"""By rule: base, theirs, mine, and what they merge to."""
CLASHING: dict[Rule, tuple[Value, Value, Value]] = {
    Rule.VALUE: (1, 2, 3),
    Rule.TEXT: ("a", "b", "c"),
    Rule.TAGS: (["a"], ABSENT, ["b"]),
    Rule.COUNTERS: ({"n": 1}, {"n": 2}, ABSENT),
}


def library(policy: Policy, rule: Rule, base: Value, theirs: Value) -> Given:
    """A field of the rule, and somebody else's edit of it."""
    name = NAME_OF[rule]
    setting = TeamMergingChanged(policy=policy, rules=OWN)
    recorded = PatternRecorded(fields={"name": "Race", **({} if base is ABSENT else {name: base})})
    change = edited(1, name) if theirs is ABSENT else edited(1, **{name: theirs})
    return given(CREATED, setting, recorded, change)


def mine(given_library: Given, rule: Rule, value: Value, under: Policy | None = None) -> Decided:
    """An edit of the same field by somebody who had not seen that, and of another one."""
    name = NAME_OF[rule]
    if value is ABSENT:
        return given_library.when(edit(1, name, under=under, y=1))
    return given_library.when(edit(1, under=under, **{name: value}, y=1))


# ---------------------------------------------------------------- the library's policy


@pytest.mark.parametrize("policy", [MERGE, LAST_WRITER_WINS])
@pytest.mark.parametrize("rule", MERGEABLE)
def test_what_merges_is_merged(policy: Policy, rule: Rule) -> None:
    base, theirs, wanted, merged = MERGEABLE[rule]
    wrote = {NAME_OF[rule]: MergedField(rule=rule, mine=wanted)}
    mine(library(policy, rule, base, theirs), rule, wanted).then_merged(
        edited(1, merged=wrote, y=1, **{NAME_OF[rule]: merged})
    )


@pytest.mark.parametrize("rule", CLASHING)
def test_what_does_not_merge_is_a_conflict(rule: Rule) -> None:
    base, theirs, wanted = CLASHING[rule]
    mine(library(MERGE, rule, base, theirs), rule, wanted).then_conflict(2, NAME_OF[rule])


@pytest.mark.parametrize("rule", CLASHING)
def test_what_does_not_merge_becomes_what_the_last_writer_wrote_where_that_one_wins(rule: Rule) -> None:
    base, theirs, wanted = CLASHING[rule]
    name = NAME_OF[rule]
    changes: dict[str, Json] = {} if wanted is ABSENT else {name: wanted}
    removed = [name] if wanted is ABSENT else []
    mine(library(LAST_WRITER_WINS, rule, base, theirs), rule, wanted).then_merged(
        edited(1, *removed, overwrote=[name], **changes, y=1)
    )


@pytest.mark.parametrize(
    ("rule", "values"),
    [*CLASHING.items(), *((rule, values[:3]) for rule, values in MERGEABLE.items())],
)
def test_what_meets_another_edit_is_refused_where_nothing_is_merged(
    rule: Rule, values: tuple[Value, Value, Value]
) -> None:
    base, theirs, wanted = values
    decided = mine(library(REJECT, rule, base, theirs), rule, wanted)
    decided.then_refused(
        Refusal.STALE_EDIT, NAME_OF[rule], conflict={"current_version": 2, "fields": [NAME_OF[rule]]}
    )


def test_two_that_count_one_each_are_two_edits_where_nothing_is_merged() -> None:
    decided = mine(library(REJECT, Rule.COUNTERS, {"n": 1}, {"n": 2}), Rule.COUNTERS, {"n": 2})
    decided.then_refused(Refusal.STALE_EDIT)


@pytest.mark.parametrize("policy", Policy)
@pytest.mark.parametrize("rule", [Rule.VALUE, Rule.TEXT, Rule.TAGS])
def test_both_sides_may_say_the_same_under_any_policy(policy: Policy, rule: Rule) -> None:
    values: dict[Rule, tuple[Json, Json]] = {
        Rule.VALUE: (1, 2),
        Rule.TEXT: ("a", "b"),
        Rule.TAGS: (["a"], ["b"]),
    }
    base, same = values[rule]
    mine(library(policy, rule, base, same), rule, same).then_merged(edited(1, **{NAME_OF[rule]: same}, y=1))


@pytest.mark.parametrize("policy", Policy)
@pytest.mark.parametrize("rule", Rule)
def test_an_edit_that_says_what_its_editor_had_seen_leaves_what_is_there_under_any_policy(
    policy: Policy, rule: Rule
) -> None:
    base, theirs = CLASHING[rule][:2]
    mine(library(policy, rule, base, theirs), rule, base).then_merged(edited(1, y=1))


@pytest.mark.parametrize("policy", Policy)
def test_fields_that_nobody_else_changed_are_edited_under_any_policy(policy: Policy) -> None:
    history = library(policy, Rule.VALUE, 1, 2)
    history.when(edit(1, z=1)).then_merged(edited(1, z=1))
    history.when(edit(2, x=3)).then(edited(2, x=3))


def test_what_was_overwritten_is_merged_where_it_can_be() -> None:
    setting = TeamMergingChanged(policy=LAST_WRITER_WINS, rules={})
    history = (CREATED, setting, PatternRecorded(fields={"name": "Race", "x": 1, "tags": ["a"]}))
    wrote = MergedField(rule=Rule.TAGS, mine=["c"])
    given(*history, edited(1, x=2, tags=["a", "b"])).when(edit(1, x=3, tags=["c"], y=1)).then_merged(
        edited(1, x=3, tags=["b", "c"], y=1, merged={"tags": wrote}, overwrote=["x"])
    )


# ---------------------------------------------------------------- how much is merged

NAMES = [f"t{number}" for number in range(MAX_MERGED_TEXTS + 1)]


def texts(text: Json, count: int) -> dict[str, Json]:
    return dict.fromkeys(NAMES[:count], text)


@pytest.mark.parametrize(
    ("count", "ends"), [(MAX_MERGED_TEXTS, "merged"), (MAX_MERGED_TEXTS + 1, "conflict")]
)
def test_so_many_texts_of_an_edit_are_merged_and_more_are_left_to_people(count: int, ends: str) -> None:
    base, theirs, wanted, _ = MERGEABLE[Rule.TEXT]
    setting = TeamMergingChanged(policy=MERGE, rules=dict.fromkeys(NAMES, Rule.TEXT))
    recorded = PatternRecorded(fields={"name": "Race", "tags": ["a"], **texts(base, count)})
    history = given(CREATED, setting, recorded, edited(1, tags=["b"], **texts(theirs, count)))
    decided = history.when(edit(1, tags=["a", "c"], **texts(wanted, count)))
    assert decided.status == ends
    if isinstance(decided.decision, Conflict):
        assert decided.decision.fields == tuple(NAMES)
    assert history.when(edit(1, **texts(theirs, count))).status == "merged"


# ---------------------------------------------------------------- the command's policy


@pytest.mark.parametrize(
    ("of_library", "of_command", "ends"),
    [
        (MERGE, None, "conflict"),
        (MERGE, MERGE, "conflict"),
        (MERGE, LAST_WRITER_WINS, "conflict"),
        (MERGE, REJECT, "rejected"),
        (REJECT, LAST_WRITER_WINS, "rejected"),
        (REJECT, MERGE, "rejected"),
        (LAST_WRITER_WINS, None, "merged"),
        (LAST_WRITER_WINS, MERGE, "conflict"),
        (LAST_WRITER_WINS, REJECT, "rejected"),
    ],
)
def test_the_stricter_policy_of_library_and_command_holds(
    of_library: Policy, of_command: Policy | None, ends: str
) -> None:
    base, theirs, wanted = CLASHING[Rule.VALUE]
    decided = mine(library(of_library, Rule.VALUE, base, theirs), Rule.VALUE, wanted, under=of_command)
    assert decided.status == ends


# ---------------------------------------------------------------- rules of a library's own


def test_a_rule_holds_from_when_it_is_set_until_it_is_taken_back() -> None:
    base, theirs, wanted, _ = MERGEABLE[Rule.TAGS]
    history = (
        CREATED,
        PatternRecorded(fields={"name": "Race", "x-tags": base}),
        edited(1, **{"x-tags": theirs}),
    )
    command = edit(1, **{"x-tags": wanted})
    with_rule = TeamMergingChanged(policy=MERGE, rules={"x-tags": Rule.TAGS})
    without = TeamMergingChanged(policy=MERGE, rules={})
    given(*history).when(command).then_conflict(2, "x-tags")
    assert given(*history, with_rule).when(command).status == "merged"
    given(*history, with_rule, without).when(command).then_conflict(2, "x-tags")


@pytest.mark.parametrize("rule", OWN.values())
@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("shape", [None, 7, "text", [1], ["a", "a"], {"n": -1}, {"n": {}}])
def test_a_value_of_another_shape_clashes(rule: Rule, place: int, shape: Json) -> None:
    values: list[Value] = list(MERGEABLE[rule][:3])
    values[place] = shape
    base, theirs, wanted = values
    if rule is Rule.TEXT and isinstance(shape, str):
        return
    mine(library(MERGE, rule, base, theirs), rule, wanted).then_conflict(2, NAME_OF[rule])
    overwritten = mine(library(LAST_WRITER_WINS, rule, base, theirs), rule, wanted)
    overwritten.then_merged(edited(1, overwrote=[NAME_OF[rule]], **{NAME_OF[rule]: wanted}, y=1))
