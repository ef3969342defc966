"""What each read model makes of events: its rows, before they are written."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from events.json_text import Json
from events.pattern import PatternArchived, PatternDeleted, PatternRecorded, PatternRestored
from events.state_json import dump_state, load_state
from events.team import STREAM
from projectors.chain import Step, follow
from projectors.changes import CHANGES, Changes
from projectors.conflicts import Conflicts
from projectors.entries import read_entries
from projectors.errors import Broken
from projectors.heads import HEADS, Heads, Names
from projectors.history import HISTORY, History
from projectors.library import show
from projectors.patterns import PATTERNS, Patterns
from projectors.read_model import ReadModel
from projectors.rows import Row
from projectors.schema.library import facet
from tests.scribe import LOG_ID, Scribe, edited

FIELDS: dict[str, Json] = {
    "name": "Näme / [1]",
    "category": "style",
    "severity": "high",
    "tags": ["a b", 'q"u\\o'],
    "x-own": {"nested": [1, 2.5, None, True, "\u2028"], "empty": {}},
}


@pytest.fixture
def log() -> Scribe:
    log = Scribe()
    log.fence()
    return log


def steps_of(log: Scribe) -> list[Step]:
    return follow(read_entries(log.records[1:], LOG_ID), {}, {})


def shown(model: ReadModel, steps: list[Step]) -> None:
    show(steps, [model])


def named(columns: tuple[str, ...], row: Row) -> dict[str, Any]:
    return dict(zip(columns, row, strict=True))


def renamed(steps: list[Step]) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    names = Names()
    shown(names, steps)
    return [row[1:] for row in names.freed()], [row[1:] for row in names.added()]


def test_heads_hold_the_latest_state_of_each_stream_as_decisions_read_it(log: Scribe) -> None:
    team = log.team("Ünits")
    pattern = log.pattern(team, PatternRecorded(fields=FIELDS))
    log.pattern(team, edited(1, "category", severity="low"), pattern)
    gone = log.pattern(team, PatternRecorded(fields=FIELDS))
    log.pattern(team, PatternDeleted(), gone)
    steps = steps_of(log)
    heads = Heads()
    shown(heads, steps)
    rows = [named(HEADS, row) for row in heads.added()]
    assert [(row["stream"], row["version"]) for row in rows] == [
        (STREAM, 1),
        (f"patterns/{pattern}", 2),
        (f"patterns/{gone}", 2),
    ]
    for row, last in zip(rows, (steps[0], steps[2], steps[4]), strict=True):
        assert load_state(row["state"]) == last.after
        assert row["state"] == dump_state(last.after)


def test_a_name_is_taken_by_live_patterns_only(log: Scribe) -> None:
    team = log.team()
    live = log.pattern(team, PatternRecorded(fields={"name": "live"}))
    archived = log.pattern(team, PatternRecorded(fields={"name": "archived"}))
    log.pattern(team, PatternArchived(), archived)
    deleted = log.pattern(team, PatternRecorded(fields={"name": "deleted"}))
    log.pattern(team, PatternDeleted(), deleted)
    back = log.pattern(team, PatternRecorded(fields={"name": "back"}))
    log.pattern(team, PatternArchived(), back)
    log.pattern(team, PatternRestored(), back)
    assert renamed(steps_of(log)) == ([], [("live", live), ("back", back)])


def test_a_name_that_is_freed_and_taken_by_another_pattern_changes_hands(log: Scribe) -> None:
    team = log.team()
    one = log.pattern(team, PatternRecorded(fields={"name": "x"}))
    before = len(log.records) - 1
    log.pattern(team, edited(1, name="y"), one)
    two = log.pattern(team, PatternRecorded(fields={"name": "x"}))
    assert renamed(steps_of(log)[before:]) == ([("x", one)], [("y", one), ("x", two)])


def test_two_patterns_that_swap_their_names_free_both_and_take_both(log: Scribe) -> None:
    team = log.team()
    one = log.pattern(team, PatternRecorded(fields={"name": "x"}))
    two = log.pattern(team, PatternRecorded(fields={"name": "y"}))
    before = len(log.records) - 1
    log.pattern(team, edited(1, name="z"), one)
    log.pattern(team, edited(1, name="x"), two)
    log.pattern(team, edited(2, name="y"), one)
    assert renamed(steps_of(log)[before:]) == ([("x", one), ("y", two)], [("y", one), ("x", two)])


def test_a_name_that_comes_back_within_a_batch_is_not_touched(log: Scribe) -> None:
    team = log.team()
    one = log.pattern(team, PatternRecorded(fields={"name": "x"}))
    before = len(log.records) - 1
    log.pattern(team, edited(1, name="y"), one)
    two = log.pattern(team, PatternRecorded(fields={"name": "x"}))
    log.pattern(team, PatternDeleted(), two)
    log.pattern(team, edited(2, name="x"), one)
    assert renamed(steps_of(log)[before:]) == ([], [])


def test_names_that_differ_in_their_composition_only_are_one(log: Scribe) -> None:
    pattern = log.pattern(log.team(), PatternRecorded(fields={"name": "e\u0301"}))
    assert renamed(steps_of(log)) == ([], [("\u00e9", pattern)])


def test_patterns_have_columns_for_what_queries_filter_and_sort_by(log: Scribe) -> None:
    team = log.team()
    pattern = log.pattern(team, PatternRecorded(fields=FIELDS), None)
    patterns = Patterns()
    shown(patterns, steps_of(log))
    (row,) = (named(PATTERNS, row) for row in patterns.added())
    fields = row.pop("fields")
    moment = datetime(2026, 3, 1, 12, tzinfo=UTC)
    tags = FIELDS["tags"]
    assert row == {
        "team_id": team,
        "pattern_id": pattern,
        "version": 1,
        "sequence": 2,
        "archived": False,
        "name": "Näme / [1]",
        "category": "style",
        "severity": 3,
        "tags": tags,
        "facets": [
            facet(team, "category", "style"),
            facet(team, "severity", "high"),
            *(facet(team, "tag", tag) for tag in tags),
        ],
        "created_at": moment,
        "updated_at": moment,
    }
    assert json.loads(fields) == FIELDS
    assert list(json.loads(fields)) == list(FIELDS)


def test_a_pattern_without_optional_fields_has_empty_columns(log: Scribe) -> None:
    team = log.team()
    pattern = log.pattern(team, PatternRecorded(fields={"name": "n"}))
    log.pattern(team, PatternArchived(), pattern)
    patterns = Patterns()
    shown(patterns, steps_of(log))
    (row,) = (named(PATTERNS, row) for row in patterns.added())
    assert (row["archived"], row["category"], row["severity"]) == (True, None, None)
    assert (row["tags"], row["facets"]) == ([], [])


def test_a_pattern_that_is_recorded_and_deleted_at_once_has_no_row_but_a_tombstone(log: Scribe) -> None:
    team = log.team()
    pattern = log.pattern(team, PatternRecorded(fields={"name": "n"}))
    log.pattern(team, PatternDeleted(), pattern)
    steps, patterns, changes = steps_of(log), Patterns(), Changes()
    show(steps, [patterns, changes])
    assert patterns.added() == []
    (row,) = (named(CHANGES, row) for row in changes.added())
    tombstone = {"pattern_id": pattern, "version": 2, "sequence": 3, "status": "deleted"}
    assert json.loads(row["item"]) == tombstone


@pytest.mark.parametrize(
    "wrong",
    [
        {"category": 1},
        {"category": None},
        {"severity": "fatal"},
        {"severity": ["low"]},
        {"tags": "a"},
        {"tags": [1]},
    ],
    ids=str,
)
def test_a_known_field_of_another_type_breaks_the_partition(log: Scribe, wrong: dict[str, Json]) -> None:
    log.pattern(log.team(), PatternRecorded(fields={"name": "n", **wrong}))
    with pytest.raises(Broken) as broken:
        shown(Patterns(), steps_of(log))
    assert broken.value.offset == 2


def test_changes_hold_one_row_per_pattern_at_its_last_sequence(log: Scribe) -> None:
    team = log.team()
    one = log.pattern(team, PatternRecorded(fields=FIELDS))
    log.pattern(team, PatternRecorded(fields={"name": "n"}))
    log.pattern(team, edited(1, name="m"), one)
    changes = Changes()
    shown(changes, steps_of(log))
    rows = [named(CHANGES, row) for row in changes.added()]
    assert [row["sequence"] for row in rows] == [4, 3]
    assert json.loads(rows[0]["item"]) == {
        "pattern_id": one,
        "version": 2,
        "sequence": 4,
        "status": "live",
        "fields": {**FIELDS, "name": "m"},
    }


def test_history_holds_every_version_with_the_data_as_it_was_written(log: Scribe) -> None:
    team = log.team()
    data = b'{ "fields": {"name":"n", "ratio": 1.50e1} }'
    stream_command = log.new_id()
    pattern = log.new_id()
    log.command(
        team,
        (f"patterns/{pattern}", PatternRecorded(fields={"name": "n", "ratio": 15.0})),
        data=data,
        command_id=stream_command,
        actor='a "quoted" \\ ada',
    )
    log.pattern(team, PatternDeleted(), pattern)
    history = History()
    shown(history, steps_of(log))
    first, second = (named(HISTORY, row) for row in history.added())
    assert data.decode() in first["item"]
    assert json.loads(first["item"]) == {
        "version": 1,
        "sequence": 2,
        "type": "pattern.recorded.v1",
        "actor": 'a "quoted" \\ ada',
        "command_id": stream_command,
        "request_id": "r-1",
        "occurred_at": "2026-03-01T12:00:00.000Z",
        "recorded_at": "2026-03-01T12:00:00.000Z",
        "data": {"fields": {"name": "n", "ratio": 15.0}},
        "fields": {"name": "n", "ratio": 15.0},
    }
    assert (json.loads(second["item"])["fields"], second["version"]) == (None, 2)


def test_a_teams_own_events_are_in_heads_alone(log: Scribe) -> None:
    log.team()
    models = (Names(), Patterns(), Changes(), History(), Conflicts())
    show(steps_of(log), models)
    assert [model.added() for model in models] == [[], [], [], [], []]


def test_history_keeps_the_latest_time_so_far_of_each_team_from_batch_to_batch(log: Scribe) -> None:
    one, two = log.team(), log.team()
    history = History()
    found: list[tuple[str, int]] = []
    for minutes in ((5, 1), (3, 9), (7, 2)):
        for team, minute in zip((one, two), minutes, strict=True):
            log.recorded_at = f"2026-03-01T12:{minute:02}:00.000Z"
            log.pattern(team, PatternRecorded(fields={"name": f"{minute}"}))
    for step in steps_of(log):
        shown(history, [step])
        found += [
            (row["team_id"], row["latest"].minute) for row in (named(HISTORY, row) for row in history.added())
        ]
    assert [minute for team, minute in found if team == one] == [5, 5, 7]
    assert [minute for team, minute in found if team == two] == [1, 9, 9]


def test_history_tells_what_a_pattern_was_found_by(log: Scribe) -> None:
    team = log.team()
    pattern = log.pattern(team, PatternRecorded(fields={"name": "a", "tags": ["x"], "severity": "low"}))
    log.pattern(team, PatternArchived(), pattern)
    log.pattern(team, edited(2, "severity", name="b"), pattern)
    log.pattern(team, PatternDeleted(), pattern)
    history = History()
    shown(history, steps_of(log))
    rows = [named(HISTORY, row) for row in history.added()]
    low, x = facet(team, "severity", "low"), facet(team, "tag", "x")
    assert [(row["archived"], row["name"], row["facets"]) for row in rows] == [
        (False, "a", [low, x]),
        (True, "a", [low, x]),
        (True, "b", [x]),
        (None, None, []),
    ]
