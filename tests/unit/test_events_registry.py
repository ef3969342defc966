from collections.abc import Mapping
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.errors import MalformedRecord, UnknownEventType
from events.json_text import Json, parse
from events.merge_rules import Policy, Rule
from events.pattern import (
    Choice,
    ConflictField,
    MergedField,
    PatternArchived,
    PatternConflictDetected,
    PatternConflictResolved,
    PatternDeleted,
    PatternEdited,
    PatternRecorded,
    PatternRestored,
    Present,
)
from events.registry import TYPES, Event, read, type_of, write
from events.team import TeamCreated, TeamMergingChanged
from events.upcasters import UPCASTERS, Upcaster, upcast
from tests.commands import CONFLICT
from tests.facts import ABANDONED, detected
from tests.golden import golden
from tests.strategies import REPEATABLE, json_values, texts

fields = st.dictionaries(texts, json_values(4), max_size=5)
versions = st.integers(1, 9)
rules = st.sampled_from(Rule)
values = st.none() | st.builds(Present, value=json_values(3))
conflict_fields = st.builds(
    ConflictField, rule=rules, clashes=st.booleans(), base=values, theirs=values, mine=values
)
events: st.SearchStrategy[Event] = (
    st.builds(TeamCreated, name=texts, admin=st.none() | st.just("ada"), organization_id=st.none())
    | st.builds(PatternRecorded, fields=fields)
    | st.builds(
        PatternEdited,
        base_version=versions,
        own=st.dictionaries(texts, versions, max_size=2),
        set=fields,
        remove=st.lists(texts, max_size=3),
        merged=st.dictionaries(texts, st.builds(MergedField, rule=rules, mine=json_values(3)), max_size=2),
        overwrote=st.lists(texts, max_size=2),
    )
    | st.builds(
        PatternConflictDetected,
        conflict_id=st.just(CONFLICT),
        base_version=versions,
        own=st.dictionaries(texts, versions, max_size=2),
        base_known=st.booleans(),
        fields=st.dictionaries(texts, conflict_fields, max_size=3),
    )
    | st.builds(
        PatternConflictResolved,
        conflict_id=st.just(CONFLICT),
        base_version=versions,
        choices=st.dictionaries(texts, st.sampled_from(get_args(Choice)), max_size=2),
        set=fields,
        remove=st.lists(texts, max_size=3),
    )
    | st.builds(
        TeamMergingChanged, policy=st.sampled_from(Policy), rules=st.dictionaries(texts, rules, max_size=3)
    )
    | st.sampled_from([ABANDONED, PatternArchived(), PatternRestored(), PatternDeleted()])
)


@REPEATABLE
@given(events)
def test_every_event_is_read_back_as_it_was_written(event: Event) -> None:
    data = write(event)
    again = read(type_of(event), data)
    assert again == event
    assert write(again) == data


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, b"null"), (Present(value=None), b'{"value":null}'), (Present(value=0), b'{"value":0}')],
)
def test_a_value_that_is_null_is_told_from_one_that_is_not_there(value: Present | None, text: bytes) -> None:
    side = ConflictField(rule=Rule.VALUE, clashes=True, base=value, theirs=None, mine=None)
    data = write(detected(x=side))
    assert b'"base":' + text + b',"theirs":null' in data
    again = read("pattern.conflict_detected.v1", data)
    assert isinstance(again, PatternConflictDetected)
    assert again.fields["x"].base == value


@REPEATABLE
@given(fields)
def test_unknown_and_nested_fields_keep_their_order_and_numbers(given_fields: dict[str, Json]) -> None:
    data = write(PatternRecorded(fields=given_fields))
    kept = read("pattern.recorded.v1", data)
    assert isinstance(kept, PatternRecorded)
    assert repr(kept.fields) == repr(given_fields)
    assert repr(parse(data)) == repr({"fields": given_fields})


@pytest.mark.parametrize(
    "event_type",
    ["", "pattern", "pattern.recorded", "pattern.recorded.v2", "pattern.recorded.v0", "team.renamed.v1"],
)
def test_a_type_that_nobody_published_is_an_error_of_its_own(event_type: str) -> None:
    with pytest.raises(UnknownEventType) as caught:
        read(event_type, b"{}")
    assert caught.value.event_type == event_type
    assert repr(event_type) in str(caught.value)


@pytest.mark.parametrize(
    ("event_type", "data"),
    [
        ("team.created.v1", b""),
        ("team.created.v1", b"[]"),
        ("team.created.v1", b"null"),
        ("team.created.v1", b"\xff"),
        ("team.created.v1", b"{}"),
        ("team.created.v1", b'{"name":1}'),
        ("team.created.v1", b'{"name":"x","more":1}'),
        ("team.created.v1", b'{"name":"\\ud800"}'),
        ("pattern.recorded.v1", b'{"fields":[]}'),
        ("pattern.recorded.v1", b'{"fields":null}'),
        ("pattern.edited.v1", b'{"base_version":0,"set":{},"remove":[]}'),
        ("pattern.edited.v1", b'{"base_version":"1","set":{},"remove":[]}'),
        ("pattern.edited.v1", b'{"base_version":true,"set":{},"remove":[]}'),
        ("pattern.edited.v1", b'{"base_version":1.0,"set":{},"remove":[]}'),
        ("pattern.edited.v1", b'{"base_version":1,"set":{},"remove":[1]}'),
        ("pattern.edited.v1", b'{"base_version":1,"set":{}}'),
        ("pattern.edited.v1", b'{"base_version":1,"set":{},"remove":[],"merged":{}}'),
        ("pattern.edited.v2", b'{"base_version":1,"set":{},"remove":[]}'),
        ("pattern.edited.v2", b'{"base_version":0,"set":{},"remove":[],"merged":{}}'),
        ("pattern.edited.v2", b'{"base_version":1,"set":{},"remove":[],"merged":{"x":1}}'),
        (
            "pattern.edited.v2",
            b'{"base_version":1,"set":{},"remove":[],"merged":{"x":{"rule":"none","mine":1}}}',
        ),
        ("pattern.edited.v3", b'{"base_version":1,"set":{},"remove":[],"merged":{}}'),
        ("pattern.conflict_abandoned.v1", b"{}"),
        ("team.merging_changed.v1", b'{"policy":"none","rules":{}}'),
        ("team.merging_changed.v1", b'{"policy":"merge","rules":{"x":"sum"}}'),
        ("team.merging_changed.v1", b'{"policy":"merge","rules":{"x":null}}'),
        ("pattern.archived.v1", b'{"why":"?"}'),
        ("pattern.restored.v1", b"0"),
        ("pattern.deleted.v1", b'{"name":"x"}'),
    ],
)
def test_data_without_its_types_shape_is_malformed(event_type: str, data: bytes) -> None:
    with pytest.raises(MalformedRecord) as caught:
        read(event_type, data)
    assert caught.value.reason.startswith(f"{event_type}: ")


@pytest.mark.parametrize(
    ("event_type", "part", "wrong"),
    [
        ("pattern.edited.v3", b'"own":{}', b'"own":{"x":0}'),
        ("pattern.edited.v3", b'"own":{}', b'"own":{"x":"1"}'),
        ("pattern.edited.v3", b'"overwrote":["severity"]', b'"overwrote":[1]'),
        ("pattern.conflict_detected.v1", b"019b76de", b"c"),
        ("pattern.conflict_detected.v1", b'"rule":"value"', b'"rule":"sum"'),
        ("pattern.conflict_detected.v1", b'"base":{"value":"high"}', b'"base":"high"'),
        ("pattern.conflict_detected.v1", b'"base":{"value":"high"}', b'"base":{}'),
        ("pattern.conflict_detected.v1", b'"mine":null', b'"mine":{"value":1,"more":2}'),
        ("pattern.conflict_resolved.v1", b'"severity":"new"', b'"severity":"ours"'),
    ],
)
def test_data_with_a_wrong_part_is_malformed(event_type: str, part: bytes, wrong: bytes) -> None:
    data = golden(event_type).record.value or b""
    assert part in data
    with pytest.raises(MalformedRecord):
        read(event_type, data.replace(part, wrong))


# ---------------------------------------------------------------- older versions


def _renamed(data: dict[str, Json]) -> dict[str, Json]:
    return {"title": data["label"]}


def _split(data: dict[str, Json]) -> dict[str, Json]:
    return {"name": data["title"].strip()}


CHAIN: Mapping[str, Upcaster] = {
    "team.founded.v0": Upcaster("team.founded.v1", _renamed),
    "team.founded.v1": Upcaster("team.created.v1", _split),
    "team.created.v1": UPCASTERS["team.created.v1"],
}


def test_an_old_version_is_read_through_every_step_in_the_newest_shape() -> None:
    assert read("team.founded.v0", b'{"label":" A "}', CHAIN) == TeamCreated(
        name="A", admin=None, organization_id=None
    )
    assert read("team.founded.v1", b'{"title":" A "}', CHAIN) == TeamCreated(
        name="A", admin=None, organization_id=None
    )
    assert read("team.created.v1", b'{"name":" A "}', CHAIN) == TeamCreated(
        name=" A ", admin=None, organization_id=None
    )


def test_a_step_leaves_other_types_alone() -> None:
    assert read("pattern.archived.v1", b"{}", CHAIN) == PatternArchived()
    assert upcast("pattern.archived.v1", {"a": 1}, CHAIN) == ("pattern.archived.v1", {"a": 1})


@pytest.mark.parametrize("data", [b"[]", b"{}", b'{"label":1}', b"{"])
def test_old_data_without_its_versions_shape_is_malformed(data: bytes) -> None:
    with pytest.raises(MalformedRecord, match=r"^team\.founded\.v"):
        read("team.founded.v0", data, CHAIN)


def test_old_data_that_no_step_brings_into_the_newest_shape_is_malformed() -> None:
    broken = {"team.founded.v0": Upcaster("team.created.v2", lambda data: data)}
    with pytest.raises(MalformedRecord):
        read("team.founded.v0", b'{"label":"A"}', broken)


def test_a_chain_that_ends_at_an_unpublished_type_is_an_unknown_type() -> None:
    with pytest.raises(UnknownEventType):
        read("team.founded.v0", b'{"label":"A"}', {"team.founded.v0": CHAIN["team.founded.v0"]})


def test_every_old_version_leads_to_a_type_that_is_read_today() -> None:
    for start in UPCASTERS:
        seen = [start]
        while seen[-1] in UPCASTERS:
            seen.append(UPCASTERS[seen[-1]].to)
            assert len(seen) == len(set(seen)), "a circle of upcasters"
        assert seen[-1] in TYPES
        assert start not in TYPES
