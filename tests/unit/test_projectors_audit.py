"""What the audit keeps of events: the record as written, and what was there before."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.envelope import Envelope, decode, encode, record_hash
from events.json_text import Json
from events.merge_rules import Policy, Rule
from events.pattern import (
    PatternArchived,
    PatternConflictAbandoned,
    PatternDeleted,
    PatternRecorded,
    PatternRestored,
    stream_of,
)
from events.record import NewRecord
from events.team import STREAM, TeamMergingChanged
from projectors.audit import AUDIT, Audit
from projectors.chain import Step, follow
from projectors.entries import read_entries
from projectors.library import show
from tests.scribe import LOG_ID, Scribe, detected, edited, resolved
from tests.strategies import REPEATABLE


@pytest.fixture
def log() -> Scribe:
    log = Scribe()
    log.fence()
    return log


def rows_of(log: Scribe, passed: Mapping[str, datetime] | None = None) -> list[dict[str, Any]]:
    audit = Audit()
    for team_id, at in (passed or {}).items():
        audit.pass_over(team_id, "team", at)
    show(steps_of(log), [audit])
    return [dict(zip(AUDIT, row, strict=True)) for row in audit.added()]


def steps_of(log: Scribe) -> list[Step]:
    return follow(read_entries(log.records[1:], LOG_ID), {}, {})


def as_written(row: dict[str, Any]) -> NewRecord:
    """The record that a row was made of."""
    facts = {name: value for name, value in row.items() if name not in ("latest", "before")}
    hashes = {name: row[name].hex() for name in ("command_hash", "previous_hash")}
    return encode(Envelope(**{**facts, **hashes, "data": row["data"].encode()}))


_TEXT = st.text(st.characters(blacklist_characters="\x00", blacklist_categories=["Cs"]), min_size=1)
_TIMES = st.sampled_from(
    ["2026-03-01T12:00:00Z", "2026-03-01T12:00:00.1+02:00", "2026-03-01T12:00:00.123456789-00:00"]
)
_VALUES: st.SearchStrategy[Json] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | _TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
    max_leaves=6,
)


@REPEATABLE
@given(
    fields=st.dictionaries(_TEXT.filter(lambda name: name != "name"), _VALUES, max_size=3),
    actor=_TEXT,
    request_id=_TEXT,
    occurred_at=_TIMES,
    recorded_at=_TIMES,
    command_hash=st.binary(min_size=32, max_size=32),
)
def test_a_row_holds_all_of_the_record_as_it_was_written(
    fields: dict[str, Json], command_hash: bytes, **facts: str
) -> None:
    log = Scribe()
    log.fence()
    team = log.team()
    stream = stream_of(log.new_id())
    told = {**facts, "command_hash": command_hash.hex()}
    log.command(team, (stream, PatternRecorded(fields={"name": "n", **fields})), **told)
    log.command(team, (stream, PatternArchived()), (stream, PatternRestored()), **told)
    log.command(team, (stream, edited(3, *fields, name="m")), **told)
    for row, record in zip(rows_of(log), log.records[1:], strict=True):
        rebuilt = as_written(row)
        assert record_hash(rebuilt) == record_hash(record)
        assert decode(rebuilt) == decode(record)


def test_what_was_there_before_is_kept_of_what_an_event_changed(log: Scribe) -> None:
    team = log.team()
    one = log.pattern(team, PatternRecorded(fields={"name": "n", "a": 1.0, "b": None, "c": [1]}))
    log.pattern(team, edited(1, "b", "not there", a=2, d="new"), one)
    conflict, other = log.new_id(), log.new_id()
    log.pattern(team, detected(conflict, a=3), one)
    log.pattern(team, detected(other, a=3), one)
    log.pattern(team, resolved(conflict, 3, "c", a=3), one)
    log.pattern(team, PatternConflictAbandoned(conflict_id=other), one)
    log.command(team, (STREAM, TeamMergingChanged(policy=Policy.REJECT, rules={"x": Rule.TEXT})))
    log.command(team, (STREAM, TeamMergingChanged(policy=Policy.MERGE, rules={})))
    log.pattern(team, PatternDeleted(), one)
    before = [row["before"] and json.loads(row["before"]) for row in rows_of(log)]
    assert before == [
        *(None, None, {"a": 1.0, "b": None}, None, None, {"a": 2, "c": [1]}, None),
        *({"policy": "merge", "rules": {}}, {"policy": "reject", "rules": {"x": "text"}}),
        {"name": "n", "a": 3, "d": "new"},
    ]


def test_the_latest_time_never_goes_back_along_a_log(log: Scribe) -> None:
    team = log.team()
    for minute in (5, 3, 7):
        log.recorded_at = f"2026-03-01T12:{minute:02}:00.000Z"
        log.pattern(team, PatternRecorded(fields={"name": f"n{minute}"}))
    minutes = [row["latest"].minute for row in rows_of(log)]
    assert minutes == [0, 5, 5, 7]
    passed = {team: datetime(2026, 3, 1, 13, tzinfo=UTC)}
    assert {row["latest"] for row in rows_of(log, passed)} == {datetime(2026, 3, 1, 13, tzinfo=UTC)}
