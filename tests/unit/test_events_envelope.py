import hashlib
from collections.abc import Mapping
from dataclasses import asdict, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from events.envelope import FIRST_PREVIOUS_HASH, Envelope, decode, encode, record_hash
from events.errors import MalformedRecord
from events.record import Headers, NewRecord, Record
from events.shapes import is_time
from tests.golden import all_golden, golden
from tests.strategies import REPEATABLE, texts

RECORD = golden("pattern.recorded.v1").record
UPPER_ID = b"3D1B0C64-6A52-4C8E-9A2F-5B7F1E0C9D21"

WRONG: Mapping[str, list[bytes]] = {
    "ce_specversion": [b"", b"0.3", b"1.0 ", b"\xff"],
    "ce_id": [b"", b"1", b"\xff", RECORD.headers["ce_id"] + b"1"],
    "ce_source": [b"", b"/teams/", b"\xff", b"/teams/00000000-0000-4000-8000-000000000000"],
    "ce_type": [
        b"",
        b"pattern",
        b"Pattern.Recorded.v1",
        b"pattern.recorded",
        b"pattern.recorded.v1\n",
        b"\xff",
    ],
    "ce_subject": [b"", b"patterns/", b"patterns/x", b"patterns/" + UPPER_ID, b"/patterns", b"\xff"],
    "ce_time": [b"", b"yesterday", b"2026-01-01", b"2026-01-01T00:00:00", b"2026-13-01T00:00:00Z", b"\xff"],
    "ce_recordedtime": [b"", b"0", b"2026-01-01 00:00:00Z", b"2026-01-01T24:00:00Z", b"\xff"],
    "ce_sequence": [b"", b"2", b"0" * 20, b"0" * 19 + b"3", b"9" * 20, b"-0000000000000000002", b"\xff"],
    "ce_streamversion": [b"", b"0", b"-1", b"1.0", b"one", b"\xff"],
    "ce_logid": [b"", b"log", UPPER_ID, b"\xff", b"00000000-0000-4000-8000-000000000000"],
    "ce_commandid": [b"", b"7", UPPER_ID, b"\xff"],
    "ce_commandhash": [b"", b"0" * 63, b"0" * 65, b"A" * 64, b"g" * 64, b"\xff"],
    "ce_commandindex": [b"", b"1", b"-1", b"x", b"\xff"],
    "ce_commandcount": [b"", b"0", b"x", b"\xff"],
    "ce_actor": [b"", b"\xff"],
    "ce_requestid": [b"", b"\xff"],
    "ce_previoushash": [b"", b"0" * 63, b"G" * 64, b"\xff"],
    "content-type": [b"", b"text/plain", b"application/json; charset=latin-1", b"\xff"],
}

VALID: Mapping[str, object] = asdict(decode(RECORD))


def with_headers(**changed: bytes | None) -> NewRecord:
    merged = {**RECORD.headers, **changed}
    return replace(RECORD, headers={name: value for name, value in merged.items() if value is not None})


def test_every_header_has_its_wrong_values_below() -> None:
    assert set(WRONG) == set(RECORD.headers)


@pytest.mark.parametrize("name", WRONG)
def test_a_record_without_any_one_of_its_headers_is_malformed(name: str) -> None:
    with pytest.raises(MalformedRecord):
        decode(with_headers(**{name: None}))


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, wrong in WRONG.items() for value in wrong]
)
def test_a_record_with_any_one_header_wrong_is_malformed(name: str, value: bytes) -> None:
    with pytest.raises(MalformedRecord) as caught:
        decode(with_headers(**{name: value}))
    assert caught.value.reason


@pytest.mark.parametrize("key", [None, b"", b"team", b"\xff" * 36, UPPER_ID, RECORD.headers["ce_logid"]])
def test_a_record_whose_key_is_not_its_team_is_malformed(key: bytes | None) -> None:
    with pytest.raises(MalformedRecord):
        decode(replace(RECORD, key=key))


def test_a_record_without_data_is_malformed() -> None:
    with pytest.raises(MalformedRecord, match="data is missing"):
        decode(replace(RECORD, value=None))


def test_a_record_without_anything_is_malformed() -> None:
    with pytest.raises(MalformedRecord):
        decode(NewRecord(key=None, value=None, headers={}))


def test_headers_that_a_later_version_adds_are_passed_over() -> None:
    assert decode(with_headers(ce_traceparent=b"00-1", term=b"1", kind=b"event")) == decode(RECORD)


times = st.datetimes().map(lambda moment: moment.isoformat() + "Z")
hashes = st.binary(max_size=8).map(lambda seed: hashlib.sha256(seed).hexdigest())
ids = st.uuids().map(str)
envelopes = st.builds(
    Envelope,
    log_id=ids,
    team_id=ids,
    stream=st.just("team") | ids.map("patterns/{}".format),
    sequence=st.integers(1, 2**63 - 1),
    version=st.integers(1, 2**63 - 1),
    type=st.sampled_from(["team.created.v1", "pattern.recorded.v12", "a_b.c_d.v0"]),
    command_id=ids,
    command_hash=hashes,
    command_index=st.just(0),
    command_count=st.integers(1, 9),
    actor=texts.filter(bool),
    request_id=texts.filter(bool),
    occurred_at=times,
    recorded_at=times,
    previous_hash=hashes,
    data=st.binary(),
)


@REPEATABLE
@given(envelopes)
def test_every_envelope_comes_back_as_it_was_written(event: Envelope) -> None:
    assert decode(encode(event)) == event


@pytest.mark.parametrize(
    "wrong",
    [
        {"log_id": "log"},
        {"team_id": "TEAM"},
        {"sequence": 0},
        {"version": 0},
        {"command_index": -1},
        {"actor": ""},
        {"occurred_at": "now"},
        {"previous_hash": ""},
    ],
)
def test_an_envelope_that_could_not_be_read_again_cannot_be_made(wrong: dict[str, object]) -> None:
    Envelope(**VALID)  # type: ignore[arg-type]
    with pytest.raises(ValidationError):
        Envelope(**{**VALID, **wrong})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "exists"),
    [
        ("2026-01-01T00:00:00Z", True),
        ("2024-02-29T23:59:59.123456789+05:45", True),
        ("0001-01-01T00:00:00Z", True),
        ("2025-02-29T00:00:00Z", False),
        ("0000-01-01T00:00:00Z", False),
        ("0001-01-01T00:00:00+00:01", False),
        ("9999-12-31T23:59:59-00:01", False),
        ("2026-01-01t00:00:00z", False),
        ("2026-01-01T00:00:60Z", False),
        ("2026-01-01T00:00:00.1234567890Z", False),
        ("2026-01-01T00:00:00+24:00", False),
        ("2026-01-01T00:00:00", False),
        ("2026-01-01T00:00Z", False),
        ("2026-W01-1T00:00:00Z", False),
        ("20260101T000000Z", False),
        ("\u0662026-01-01T00:00:00Z", False),
        ("", False),
    ],
)
def test_a_time_is_as_rfc_3339_writes_it_and_exists_in_utc(text: str, exists: bool) -> None:
    assert is_time(text) is exists


# ---------------------------------------------------------------- the chain


def hash_by_the_book(key: bytes, data: bytes, attributes: Headers) -> str:
    """docs/events.md, step by step."""
    parts = [key, data]
    for name in sorted(attributes):
        parts += [name.encode("ascii"), attributes[name]]
    text = b"patternlog.event.v1" + len(parts).to_bytes(4, "big")
    for part in parts:
        text += len(part).to_bytes(4, "big")
    return hashlib.sha256(text + b"".join(parts)).hexdigest()


def test_the_hash_of_every_golden_record_is_as_the_documentation_says() -> None:
    for published in all_golden().values():
        record = published.record
        attributes = {name: value for name, value in record.headers.items() if name.startswith("ce_")}
        assert record_hash(record) == hash_by_the_book(record.key or b"", record.value or b"", attributes)


def test_the_hash_of_nothing_is_known() -> None:
    nothing = hashlib.sha256(b"patternlog.event.v1" + bytes([0, 0, 0, 2]) + bytes(8)).hexdigest()
    assert record_hash(NewRecord(key=None, value=None, headers={})) == nothing
    assert nothing != FIRST_PREVIOUS_HASH == "0" * 64


def test_the_hash_survives_a_move_to_another_cluster() -> None:
    moved = Record(
        partition=7,
        offset=123,
        timestamp_ms=0,
        key=RECORD.key,
        value=RECORD.value,
        headers={**dict(reversed(RECORD.headers.items())), "term": b"9", "writer": b"w", "fence": b"1"},
    )
    assert record_hash(moved) == record_hash(RECORD)


@pytest.mark.parametrize("name", [name for name in RECORD.headers if name.startswith("ce_")])
def test_the_hash_tells_of_a_change_to_any_attribute(name: str) -> None:
    changed = with_headers(**{name: RECORD.headers[name] + b"0"})
    assert record_hash(changed) != record_hash(RECORD)
    assert record_hash(with_headers(**{name: None})) != record_hash(RECORD)


def test_the_hash_tells_of_a_change_to_key_data_or_where_one_part_ends() -> None:
    a, b = NewRecord(key=b"ab", value=b"c", headers={}), NewRecord(key=b"a", value=b"bc", headers={})
    named = NewRecord(key=b"a", value=b"b", headers={"ce_x": b"y"})
    shifted = NewRecord(key=b"a", value=b"b", headers={"ce_xy": b""})
    hashes_seen = {record_hash(record) for record in (a, b, named, shifted)}
    assert len(hashes_seen) == 4
