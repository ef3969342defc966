from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.errors import MalformedRecord
from events.json_text import Json
from events.outcome import Outcome, Position, decode, encode, is_mark, mark, position_of
from events.readers_rule import fence
from events.record import Headers, NewRecord
from tests.strategies import REPEATABLE, json_values, texts

LOG = "0d9c9a52-3a3b-4c57-8f6e-2f1b8f1b7c11"
OUTCOME = Outcome(
    log_id=LOG,
    team_id="7f3c2f0e-1f0a-4a53-9d55-0d6f6c1f7a01",
    command_id="019b76dd-6720-7e07-8085-62dbea9f3b77",
    command_hash="ab" * 32,
    recorded_at="2026-01-01T00:00:00.000Z",
    status="accepted",
    answer={"pattern_id": "3d1b0c64-6a52-4c8e-9a2f-5b7f1e0c9d21", "version": 3, "sequence": 17},
)
RECORD = encode(OUTCOME, command_offset=41, events_end=99)

answers = st.dictionaries(texts, json_values(3), max_size=3)


def test_an_outcomes_record_is_written_as_published() -> None:
    written = encode(OUTCOME, command_offset=41, events_end=99)
    assert written == NewRecord(
        key=b"7f3c2f0e-1f0a-4a53-9d55-0d6f6c1f7a01",
        value=b'{"command_id":"019b76dd-6720-7e07-8085-62dbea9f3b77","status":"accepted",'
        b'"pattern_id":"3d1b0c64-6a52-4c8e-9a2f-5b7f1e0c9d21","version":3,"sequence":17}',
        headers={
            "kind": b"outcome",
            "command_offset": b"41",
            "events_end": b"99",
            "log_id": LOG.encode(),
            "command_hash": b"ab" * 32,
            "recorded_at": b"2026-01-01T00:00:00.000Z",
            "repeat": b"0",
        },
    )


@REPEATABLE
@given(answers, st.sampled_from(["accepted", "merged", "conflict", "rejected"]), st.booleans(), st.booleans())
def test_every_outcome_is_read_back_as_it_was_written(
    answer: dict[str, Json], status: str, repeat: bool, known: bool
) -> None:
    written = replace(
        OUTCOME,
        answer=answer,
        status=status,  # type: ignore[arg-type]
        repeat=repeat,
        command_id=OUTCOME.command_id if known else None,
    )
    assert decode(encode(written, command_offset=0, events_end=0)) == written


def with_headers(**changed: bytes | None) -> NewRecord:
    merged = {**RECORD.headers, **changed}
    return replace(RECORD, headers={name: value for name, value in merged.items() if value is not None})


@pytest.mark.parametrize("name", ["kind", "log_id", "command_hash", "recorded_at", "repeat"])
@pytest.mark.parametrize("value", [None, b"\xff"])
def test_an_outcome_with_a_header_missing_or_unreadable_is_malformed(name: str, value: bytes | None) -> None:
    with pytest.raises(MalformedRecord):
        decode(with_headers(**{name: value}))


@pytest.mark.parametrize(
    "value",
    [
        None,
        b"",
        b"[]",
        b'"accepted"',
        b"{}",
        b'{"command_id":null}',
        b'{"status":"accepted"}',
        b'{"command_id":"c","status":"maybe"}',
        b'{"command_id":"c","status":["accepted"]}',
        b'{"command_id":"c","status":null}',
        b'{"command_id":7,"status":"accepted"}',
        b'{"command_id":["c"],"status":"accepted"}',
        b'{"command_id":"c","status":"accepted","status":"rejected"}',
        b'{"command_id":"c","status":"accepted","detail":"\\u0000"}',
    ],
)
def test_an_outcome_without_a_readable_answer_is_malformed(value: bytes | None) -> None:
    with pytest.raises(MalformedRecord):
        decode(replace(RECORD, value=value))


@pytest.mark.parametrize("key", [None, b"\xff"])
def test_an_outcome_without_a_readable_key_is_malformed(key: bytes | None) -> None:
    with pytest.raises(MalformedRecord):
        decode(replace(RECORD, key=key))


@pytest.mark.parametrize("repeat", [b"", b"2", b"true"])
def test_an_outcome_says_whether_it_is_a_repeat(repeat: bytes) -> None:
    with pytest.raises(MalformedRecord, match="repeat"):
        decode(with_headers(repeat=repeat))


# ---------------------------------------------------------------- positions


def test_an_outcome_moves_the_position_past_its_command() -> None:
    assert position_of(RECORD) == Position(next_command_offset=42, events_end=99)
    assert not is_mark(RECORD)


def test_a_mark_says_where_to_go_on_and_is_no_outcome() -> None:
    position = Position(next_command_offset=41, events_end=99)
    record = mark(position, log_id=LOG)
    assert record == NewRecord(
        key=None,
        value=None,
        headers={"kind": b"mark", "command_offset": b"41", "events_end": b"99", "log_id": LOG.encode()},
    )
    assert position_of(record) == position
    assert is_mark(record)
    with pytest.raises(MalformedRecord, match="not an outcome"):
        decode(record)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"kind": b"outcome"},
        {"kind": b"mark", "command_offset": b"1"},
        {"kind": b"mark", "events_end": b"1"},
        {"kind": b"outcome", "command_offset": b"-1", "events_end": b"1"},
        {"kind": b"event", "command_offset": b"1", "events_end": b"1"},
        {"command_offset": b"1", "events_end": b"1"},
        fence(term=1, writer="w", log_id=LOG).headers,
    ],
)
def test_any_other_record_names_no_position(headers: Headers) -> None:
    with pytest.raises(MalformedRecord):
        position_of(NewRecord(key=None, value=None, headers=headers))
