import copy
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.errors import ImpossibleEvent
from events.json_text import Json
from events.membership import Membership
from events.pattern import (
    DeletedPattern,
    MergedField,
    NoPattern,
    Pattern,
    PatternArchived,
    PatternDeleted,
    PatternEdited,
    PatternEvent,
    PatternRecorded,
    PatternRestored,
    PatternState,
    evolve,
    name_key,
    pattern_id_of,
    stream_of,
    taken_name,
)
from events.roles import Role
from events.stream import evolve as evolve_stream
from events.team import Team
from tests.commands import PATTERN
from tests.facts import ABANDONED, detected, edited, resolved, sides, team_created
from tests.strategies import REPEATABLE, json_values, texts

LIVE = Pattern(
    version=3,
    status="live",
    fields={"name": "Race", "x": {"b": 1, "a": [1.0, None]}},
    field_versions={"name": 1, "x": 3, "gone": 2},
)
ARCHIVED = Pattern(version=4, status="archived", fields=LIVE.fields, field_versions=LIVE.field_versions)

field_names = st.sampled_from(["name", "a", "b", "c", "d"])
field_values = st.fixed_dictionaries({"name": texts}, optional=dict.fromkeys("abcd", json_values(3)))
recorded = st.builds(PatternRecorded, fields=field_values)
edits = st.builds(
    PatternEdited,
    base_version=st.integers(1, 9),
    own=st.dictionaries(field_names, st.integers(1, 9), max_size=1),
    set=st.dictionaries(field_names, texts, max_size=3),
    remove=st.lists(field_names.filter("name".__ne__), max_size=2),
    merged=st.dictionaries(field_names, st.builds(MergedField, mine=json_values(3)), max_size=1),
)
conflicts = st.builds(detected, conflict_id=st.uuids().map(str), a=st.just(sides(1, 2, 3)))
later: st.SearchStrategy[PatternEvent] = (
    st.just(PatternArchived()) | st.just(PatternRestored()) | edits | conflicts
)
histories = st.tuples(recorded, st.lists(later, max_size=8)).map(lambda parts: [parts[0], *parts[1]])


def fold(events: list[PatternEvent]) -> PatternState:
    state: PatternState = NoPattern()
    for event in events:
        state = evolve(state, event)
    return state


# ---------------------------------------------------------------- any history


@REPEATABLE
@given(histories)
def test_the_version_is_the_number_of_events(events: list[PatternEvent]) -> None:
    state: PatternState = NoPattern()
    for number, event in enumerate(events, start=1):
        state = evolve(state, event)
        assert state.version == number
    assert evolve(state, PatternDeleted()) == DeletedPattern(version=len(events) + 1)


@REPEATABLE
@given(histories, later)
def test_evolve_leaves_the_state_and_the_event_that_it_was_given_as_they_were(
    events: list[PatternEvent], event: PatternEvent
) -> None:
    state = fold(events)
    before, happened = copy.deepcopy(state), copy.deepcopy(event)
    evolve(state, event)
    assert (repr(state), repr(event)) == (repr(before), repr(happened))


@REPEATABLE
@given(histories)
def test_the_fields_are_what_was_last_set_and_not_removed_since(events: list[PatternEvent]) -> None:
    fields: dict[str, Json] = {}
    versions: dict[str, int] = {}
    for version, event in enumerate(events, start=1):
        put = event.fields if isinstance(event, PatternRecorded) else {}
        put = event.set if isinstance(event, PatternEdited) else put
        dropped = event.remove if isinstance(event, PatternEdited) else []
        fields = {name: value for name, value in (fields | put).items() if name not in dropped}
        versions |= dict.fromkeys([*put, *dropped], version)
    state = fold(events)
    assert isinstance(state, Pattern)
    assert (state.fields, state.field_versions) == (fields, versions)


# ---------------------------------------------------------------- what each event does


def test_a_recorded_pattern_is_live_with_every_field_at_version_1() -> None:
    state = evolve(NoPattern(), PatternRecorded(fields={"name": "Race", "x": 1}))
    assert state == Pattern(
        version=1,
        status="live",
        fields={"name": "Race", "x": 1},
        field_versions={"name": 1, "x": 1},
    )


def test_an_edit_sets_removes_and_remembers_at_which_version() -> None:
    state = evolve(LIVE, edited(1, "x", "never", name="Data race", new=[]))
    assert state == Pattern(
        version=4,
        status="live",
        fields={"name": "Data race", "new": []},
        field_versions={"name": 4, "new": 4, "x": 4, "never": 4, "gone": 2},
    )


def test_archiving_and_restoring_change_the_status_alone() -> None:
    assert evolve(LIVE, PatternArchived()) == ARCHIVED
    restored = evolve(ARCHIVED, PatternRestored())
    assert restored == Pattern(
        version=5, status="live", fields=LIVE.fields, field_versions=LIVE.field_versions
    )


def test_an_edit_of_an_archived_pattern_leaves_it_archived() -> None:
    state = evolve(ARCHIVED, edited(4, x=1))
    assert isinstance(state, Pattern)
    assert state.status == "archived"


@pytest.mark.parametrize("state", [LIVE, ARCHIVED])
def test_a_deleted_pattern_is_a_tombstone(state: Pattern) -> None:
    assert evolve(state, PatternDeleted()) == DeletedPattern(version=state.version + 1)


@pytest.mark.parametrize("state", [NoPattern(), DeletedPattern(version=2)])
@pytest.mark.parametrize(
    "event",
    [
        edited(1, name="x"),
        detected(x=sides(1, 2, 3)),
        resolved(1, {"x": "new"}, x=1),
        ABANDONED,
        PatternArchived(),
        PatternRestored(),
        PatternDeleted(),
    ],
)
def test_nothing_happens_to_a_pattern_that_is_not_there(state: PatternState, event: PatternEvent) -> None:
    with pytest.raises(ImpossibleEvent):
        evolve(state, event)


@pytest.mark.parametrize("state", [LIVE, ARCHIVED, DeletedPattern(version=2)])
def test_a_pattern_is_recorded_once(state: PatternState) -> None:
    with pytest.raises(ImpossibleEvent):
        evolve(state, PatternRecorded(fields={"name": "x"}))


@pytest.mark.parametrize(
    ("state", "event"),
    [
        (NoPattern(), PatternRecorded(fields={})),
        (NoPattern(), PatternRecorded(fields={"name": 1})),
        (LIVE, edited(1, "name")),
        (LIVE, edited(1, name=None)),
    ],
)
def test_a_pattern_always_has_a_name(state: PatternState, event: PatternEvent) -> None:
    with pytest.raises(ImpossibleEvent, match="without a name"):
        evolve(state, event)


# ---------------------------------------------------------------- streams


def test_a_stream_of_any_kind_evolves_from_nothing() -> None:
    assert evolve_stream(None, team_created("A")) == Team(
        version=1, name="A", people=Membership(members={"ada": Role.ADMIN})
    )
    recorded_first = evolve_stream(None, PatternRecorded(fields={"name": "x"}))
    assert recorded_first.version == 1
    assert evolve_stream(recorded_first, PatternDeleted()) == DeletedPattern(version=2)
    with pytest.raises(ImpossibleEvent):
        evolve_stream(None, PatternArchived())


def test_a_stream_holds_events_of_one_kind() -> None:
    with pytest.raises(ImpossibleEvent, match="another stream"):
        evolve_stream(Team(version=1, name="A"), PatternRecorded(fields={"name": "x"}))
    for state in (LIVE, DeletedPattern(version=2)):
        with pytest.raises(ImpossibleEvent, match="another stream"):
            evolve_stream(state, team_created("A"))


# ---------------------------------------------------------------- names and streams


@pytest.mark.parametrize(
    ("one", "other"), [("caf\u00e9", "cafe\u0301"), ("\u212b", "\u00c5"), ("\ud55c", "\u1112\u1161\u11ab")]
)
def test_names_that_look_alike_because_they_are_the_same_text_are_one_name(one: str, other: str) -> None:
    assert one != other
    assert name_key(one) == name_key(other)


@pytest.mark.parametrize(
    ("one", "other"), [("a", "A"), ("a", "a "), ("a", "\u0430"), ("\u2460", "1"), ("stra\u00dfe", "strasse")]
)
def test_names_that_differ_in_more_than_their_encoding_are_two(one: str, other: str) -> None:
    assert name_key(one) != name_key(other)


@REPEATABLE
@given(texts)
def test_a_name_has_one_key_however_it_is_composed(name: str) -> None:
    assert name_key(name_key(name)) == name_key(name)
    assert name_key(unicodedata.normalize("NFD", name)) == name_key(name)


def test_live_patterns_alone_hold_a_name() -> None:
    accented = Pattern(version=1, status="live", fields={"name": "cafe\u0301"}, field_versions={"name": 1})
    assert taken_name(accented) == "caf\u00e9"
    for state in (NoPattern(), ARCHIVED, DeletedPattern(version=2)):
        assert taken_name(state) is None


def test_a_patterns_stream_names_it() -> None:
    assert stream_of(PATTERN) == f"patterns/{PATTERN}"
    assert pattern_id_of(stream_of(PATTERN)) == PATTERN
    assert pattern_id_of("team") is None
    assert pattern_id_of("pattern") is None
