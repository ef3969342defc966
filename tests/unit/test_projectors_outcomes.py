"""What the projection of [outcomes] takes from records that count."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from events.outcome import Outcome, Position, encode, mark
from events.record import Record
from projectors.errors import Broken
from projectors.outcomes import Outcomes, OutcomesWork
from tests.scribe import LOG_ID, RECORDED_AT, Scribe

TEAM = "0190a5d0-0000-7000-8000-00000000000a"
COMMAND = "0190a5d0-0000-7000-8000-00000000000b"


@pytest.fixture
def log() -> Scribe:
    log = Scribe()
    log.fence(writer="w")
    return log


def outcome(**other: Any) -> Outcome:
    facts: dict[str, Any] = {
        "log_id": LOG_ID,
        "team_id": TEAM,
        "command_id": COMMAND,
        "command_hash": "h",
        "recorded_at": RECORDED_AT,
        "status": "accepted",
        "answer": {"version": 1},
    }
    return Outcome(**{**facts, **other})


def add(log: Scribe, offset: int = 0, **other: Any) -> Record:
    return log.counting(encode(outcome(**other), command_offset=offset, events_end=5))


def work_of(log: Scribe) -> OutcomesWork:
    return Outcomes(topic="outcomes").take(0, LOG_ID, log.records[1:])


def test_an_outcome_is_kept_as_its_topic_holds_it(log: Scribe) -> None:
    record = add(log, offset=7)
    (row,) = work_of(log).answers
    assert record.value is not None
    moment = datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert row == (TEAM, COMMAND, 7, "h", LOG_ID, moment, "accepted", record.value.decode())


def test_the_first_answer_to_a_command_stands(log: Scribe) -> None:
    add(log, offset=1, answer={"version": 1})
    add(log, offset=2, answer={"version": 9})
    assert [row[2] for row in work_of(log).answers] == [1]


def test_repeats_and_outcomes_of_no_command_are_left_out(log: Scribe) -> None:
    add(log, repeat=True)
    add(log, command_id=None, status="rejected", answer={"code": "malformed_json"}, team_id="no id")
    assert work_of(log).answers == []


def test_the_newest_position_is_kept(log: Scribe) -> None:
    add(log, offset=7)
    assert work_of(log).newest == Position(next_command_offset=8, events_end=5)
    log.counting(mark(Position(next_command_offset=8, events_end=6), log_id=LOG_ID))
    assert work_of(log).newest == Position(next_command_offset=8, events_end=6)


def test_a_batch_of_fences_alone_brings_nothing(log: Scribe) -> None:
    work = Outcomes(topic="outcomes").take(0, LOG_ID, [])
    assert (work.answers, work.newest, work.held_back) == ([], None, None)


@pytest.mark.parametrize(
    "wrong",
    [
        {"log_id": "0190a5d0-0000-7000-8000-00000000dead"},
        {"team_id": "no id"},
        {"command_id": "no id"},
        {"recorded_at": "yesterday"},
        {"status": "perhaps"},
    ],
    ids=str,
)
def test_an_outcome_that_counts_and_cannot_be_kept_breaks_the_partition(
    log: Scribe, wrong: dict[str, Any]
) -> None:
    add(log)
    add(log, **wrong)
    with pytest.raises(Broken) as broken:
        work_of(log)
    assert broken.value.offset == 2


def test_a_record_that_counts_and_is_neither_outcome_nor_mark_breaks_the_partition(log: Scribe) -> None:
    record = add(log)
    log.counting(replace(record, headers={**record.headers, "kind": b"note"}))  # type: ignore[arg-type]
    with pytest.raises(Broken):
        work_of(log)
