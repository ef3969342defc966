"""Records as lines of JSON, and back, byte for byte.

An event's line is `{"sequence": n, "headers": {"ce_…": "…"}, "data": "…"}`, its key being the team in
`ce_source`; other records are `{"key": …, "headers": {…}, "value": …}`. Both begin with the offset that the
record had, and that of its command. Bytes that are no UTF-8 stand as lone surrogates (PEP 383).
"""

import json
from dataclasses import dataclass
from typing import Any

from events.envelope import CONTENT_TYPE, JSON_CONTENT
from events.record import COMMAND_OFFSET, FENCE, TERM, WRITER, Headers, NewRecord, Record, integer_of

_TRANSPORT = (TERM, WRITER, FENCE)
_SOURCE = "/teams/"


@dataclass(frozen=True, kw_only=True, slots=True)
class Kept:
    """A record as it is kept: without term, writer and fence, at the offsets that it and its command had."""

    offset: int
    command_offset: int
    record: NewRecord


def event_line(record: Record) -> bytes:
    """The line of an event that counts; raise `MalformedRecord` where it has no sequence or command."""
    return _line(
        {
            "offset": record.offset,
            "command_offset": integer_of(record.headers, COMMAND_OFFSET),
            "sequence": integer_of(record.headers, "ce_sequence"),
            "headers": {name: _text(value) for name, value in record.headers.items() if name[:3] == "ce_"},
            "data": _text(record.value),
        }
    )


def record_line(record: Record) -> bytes:
    """The line of any other record."""
    headers = record.headers
    return _line(
        {
            "offset": record.offset,
            "command_offset": integer_of(headers, COMMAND_OFFSET) if TERM in headers else record.offset,
            "timestamp_ms": record.timestamp_ms,
            "key": _text(record.key),
            "headers": {name: _text(value) for name, value in headers.items() if name not in _TRANSPORT},
            "value": _text(record.value),
        }
    )


def read_line(line: bytes) -> Kept:
    """The record of a line; raise `ValueError`, `KeyError` or `TypeError` for one without the form."""
    read: dict[str, Any] = json.loads(line)
    headers: Headers = {name: _bytes(value) or b"" for name, value in read["headers"].items()}
    if "data" in read:
        source = read["headers"]["ce_source"]
        record = NewRecord(
            key=source.removeprefix(_SOURCE).encode(),
            value=_bytes(read["data"]),
            headers=headers | {CONTENT_TYPE: JSON_CONTENT},
        )
    else:
        record = NewRecord(key=_bytes(read["key"]), value=_bytes(read["value"]), headers=headers)
    return Kept(offset=int(read["offset"]), command_offset=int(read["command_offset"]), record=record)


def _line(members: dict[str, Any]) -> bytes:
    return json.dumps(members, separators=(",", ":")).encode() + b"\n"


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("utf-8", "surrogateescape")


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else text.encode("utf-8", "surrogateescape")
