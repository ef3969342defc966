"""Which outcomes are refusals for the audit, and what it keeps of them."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from events.outcome import Outcome, RefusedCommand, decode, encode
from events.record import Headers, NewRecord
from projectors.errors import Broken
from projectors.outcomes import Outcomes
from projectors.rows import Row
from tests.audits import refusal
from tests.scribe import LOG_ID, Scribe

TEAM = "0190a5d0-0000-7000-8000-00000000000a"
COMMAND = "0190a5d0-0000-7000-8000-00000000000b"
MOMENT = datetime(2026, 3, 1, 12, tzinfo=UTC)


def refusals_of(*outcomes: Outcome, without: Sequence[str] = (), other: Headers | None = None) -> list[Row]:
    log = Scribe()
    log.fence()
    for offset, outcome in enumerate(outcomes, start=7):
        record = encode(replace(outcome, log_id=LOG_ID), command_offset=offset, events_end=0)
        kept: Headers = {name: value for name, value in record.headers.items() if name not in without}
        log.counting(NewRecord(key=record.key, value=record.value, headers={**kept, **(other or {})}))
    return Outcomes(topic="outcomes").take(0, LOG_ID, log.records[1:]).refusals


def test_a_refusal_keeps_who_wanted_what() -> None:
    (row,) = refusals_of(refusal(TEAM, COMMAND, occurred_at="2026-03-01T11:00:00Z"))
    assert row[:5] == (7, TEAM, MOMENT, "name_taken", "ada")
    assert json.loads(row[5]) == {
        "command_id": COMMAND,
        "code": "name_taken",
        "detail": "no",
        "actor": "ada",
        "request_id": "r-1",
        "command_type": "edit_pattern",
        "stream": "team",
        "occurred_at": "2026-03-01T11:00:00Z",
        "recorded_at": "2026-03-01T12:00:00.000Z",
    }


def test_a_refusal_of_before_there_was_anything_to_tell_is_kept_without() -> None:
    names = ("actor", "request_id", "command_type", "stream")
    (row,) = refusals_of(refusal(TEAM, COMMAND), without=names)
    assert row[4] is None
    assert {json.loads(row[5])[name] for name in names} == {None}


def test_what_is_told_again_is_no_other_refusal_but_another_body_under_the_id_is() -> None:
    first = refusal(TEAM, COMMAND)
    again = replace(first, repeat=True, refused=None)
    reused = refusal(TEAM, COMMAND, "command_id_reused")
    rows = refusals_of(first, again, reused, reused)
    assert [(row[0], row[3]) for row in rows] == [
        (7, "name_taken"),
        (9, "command_id_reused"),
        (10, "command_id_reused"),
    ]


def test_what_no_team_could_ask_for_is_not_kept() -> None:
    assert refusals_of(refusal("no id", None), replace(refusal(TEAM, COMMAND), status="accepted")) == []


def test_a_refusal_of_no_command_is_kept() -> None:
    (row,) = refusals_of(refusal(TEAM, None, "malformed_command", by=""))
    assert json.loads(row[5])["command_id"] is None


@pytest.mark.parametrize("wrong", [{"actor": b"\xff"}, {"stream": b"a\x00b"}, {"recorded_at": b"now"}])
def test_a_refusal_that_cannot_be_kept_stops_the_partition(wrong: dict[str, bytes]) -> None:
    with pytest.raises(Broken):
        refusals_of(refusal(TEAM, None), other=wrong)


def test_a_refusal_is_told_in_headers_and_nothing_of_it_in_other_outcomes() -> None:
    outcome = refusal(TEAM, COMMAND)
    record = encode(outcome, command_offset=1, events_end=1)
    assert (
        decode(record).refused
        == outcome.refused
        == RefusedCommand(actor="ada", request_id="r-1", command_type="edit_pattern", stream="team")
    )
    plain = encode(replace(outcome, refused=None), command_offset=1, events_end=1)
    assert decode(plain).refused is None
    assert not {"actor", "request_id", "command_type", "stream", "occurred_at"} & plain.headers.keys()
