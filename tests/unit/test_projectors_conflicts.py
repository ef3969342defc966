"""The rows of conflicts, before they are written."""

import json
from typing import Any

import pytest

from events.envelope import Envelope
from events.pattern import (
    PatternConflictAbandoned,
    PatternDeleted,
    PatternEvent,
    PatternRecorded,
    stream_of,
)
from projectors.chain import follow
from projectors.conflicts import CONFLICTS, Conflicts
from projectors.entries import read_entries
from projectors.errors import Broken
from projectors.library import show
from tests.scribe import LOG_ID, Scribe, detected, edited, resolved

CONFLICT = "019b76de-5180-7b1c-9c0a-5a1d2e3f4a5b"
OTHER = "019b76de-5180-7b1c-9c0a-5a1d2e3f4a5c"


@pytest.fixture
def log() -> Scribe:
    log = Scribe()
    log.fence()
    return log


def rows_of(log: Scribe) -> list[dict[str, Any]]:
    """The rows as they would be after one batch of all that was written, their JSON read."""
    conflicts = Conflicts()
    show(follow(read_entries(log.records[1:], LOG_ID), {}, {}), [conflicts])
    rows = [dict(zip(CONFLICTS, row, strict=True)) for row in conflicts.added()]
    return [
        {**row, "item": json.loads(row["item"]), "closing": json.loads(row["closing"] or "null")}
        for row in rows
    ]


def facts(log: Scribe, offset: int = -1) -> dict[str, Any]:
    """What is told of the event of a record."""
    (entry,) = read_entries([log.records[offset]], LOG_ID)
    event: Envelope = entry.envelope
    return {
        "version": event.version,
        "sequence": event.sequence,
        "type": event.type,
        "actor": "ada",
        "command_id": event.command_id,
        "request_id": "r-1",
        "occurred_at": "2026-03-01T12:00:00.000Z",
        "recorded_at": "2026-03-01T12:00:00.000Z",
    }


def test_a_conflict_is_open_with_its_data_as_it_was_written(log: Scribe) -> None:
    team = log.team()
    pattern = log.pattern(team, PatternRecorded(fields={"name": "n"}))
    log.pattern(team, edited(1, severity="low"), pattern)
    event = detected(CONFLICT, severity="high")
    data = (
        b'{ "conflict_id": "%s", "base_version": 1, "own": {}, "base_known": true,'
        b' "fields": {"severity": {"rule": "value", "clashes": true, "base": null,'
        b' "theirs": {"value": "theirs"}, "mine": {"value": "high"}}} }\n'
    ) % CONFLICT.encode()
    log.command(team, (stream_of(pattern), event), data=data, command_id=CONFLICT)
    (row,) = rows_of(log)
    assert row == {
        "team_id": team,
        "conflict_id": CONFLICT,
        "pattern_id": pattern,
        "sequence": 4,
        "status": "open",
        "item": {"pattern_id": pattern, **facts(log), **json.loads(data)},
        "closing": None,
    }


@pytest.mark.parametrize(
    ("end", "status", "choices"),
    [
        (resolved(CONFLICT, 2, "gone", severity="low"), "resolved", {"severity": "new", "gone": "new"}),
        (PatternConflictAbandoned(conflict_id=CONFLICT), "abandoned", None),
        (PatternDeleted(), "deleted", None),
    ],
)
def test_a_conflict_can_end_in_the_batch_in_which_it_was_detected(
    log: Scribe, end: PatternEvent, status: str, choices: dict[str, str] | None
) -> None:
    team = log.team()
    pattern = log.pattern(team, PatternRecorded(fields={"name": "n"}))
    log.pattern(team, detected(CONFLICT, severity="high"), pattern)
    log.pattern(team, end, pattern)
    (row,) = rows_of(log)
    wanted = facts(log) if choices is None else {**facts(log), "choices": choices}
    assert (row["status"], row["closing"], row["sequence"]) == (status, wanted, 3)
    assert row["item"]["fields"]["severity"]["mine"] == {"value": "high"}


def test_a_deletion_ends_the_conflicts_that_are_open_and_no_other(log: Scribe) -> None:
    team = log.team()
    pattern = log.pattern(team, PatternRecorded(fields={"name": "n"}))
    for conflict_id in (CONFLICT, OTHER):
        log.pattern(team, detected(conflict_id, severity="high"), pattern)
    log.pattern(team, PatternConflictAbandoned(conflict_id=CONFLICT), pattern)
    log.pattern(team, PatternDeleted(), pattern)
    assert [(row["conflict_id"], row["status"]) for row in rows_of(log)] == [
        (CONFLICT, "abandoned"),
        (OTHER, "deleted"),
    ]


def test_teams_may_have_conflicts_of_one_id(log: Scribe) -> None:
    teams = [log.team(), log.team()]
    for team in teams:
        pattern = log.pattern(team, PatternRecorded(fields={"name": "n"}))
        log.pattern(team, detected(CONFLICT, severity="high"), pattern)
    assert [(row["team_id"], row["status"]) for row in rows_of(log)] == [(team, "open") for team in teams]


def test_a_conflict_that_was_detected_before_breaks_the_partition(log: Scribe) -> None:
    team = log.team()
    for name in ("one", "two"):
        pattern = log.pattern(team, PatternRecorded(fields={"name": name}))
        log.pattern(team, detected(CONFLICT, severity="high"), pattern)
    with pytest.raises(Broken, match="was detected before") as broken:
        rows_of(log)
    assert broken.value.offset == 5
