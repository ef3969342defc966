"""The lines of an exported log: of each event its record as written, without what is of the transport."""

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from pydantic_core import from_json, to_json

from events.envelope import SEQUENCE_DIGITS, canonical_bytes
from events.errors import InvalidJson, MalformedRecord
from events.json_text import MAX_EVENT_DEPTH, parse
from events.record import Headers, NewRecord, text_of
from evidence.errors import EvidenceError
from evidence.merkle import hash_leaf

MAX_LINE_BYTES = 16 * 1024 * 1024
_MOST_HEADERS = 64
_SOURCE = "/teams/"
_MEMBERS = {"sequence", "headers", "data"}


class MalformedLine(EvidenceError):
    """A line that does not hold one event's record."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LogLine:
    """An event as the log holds it, and what hashes are over."""

    sequence: int
    team_id: str
    log_id: str
    previous_hash: str
    record: NewRecord
    entry: bytes

    @property
    def hash(self) -> str:
        """What the log's next event names."""
        return sha256(self.entry).hexdigest()

    @property
    def leaf(self) -> bytes:
        """What the tree is over."""
        return hash_leaf(self.entry)

    def at(self, sequence: int) -> "LogLine":
        """The same event as it would be at another place."""
        event_id = f"{self.log_id}:{self.team_id}:{sequence}"
        given = {"ce_sequence": _digits(sequence), "ce_id": event_id.encode()}
        return _line_of(sequence, self.record.with_headers(given))


def parse_line(text: bytes) -> LogLine:
    """Read a line; raise `MalformedLine`.

    What JSON readers do not understand alike, such as a member that stands twice, is refused: they would see
    another event than the one whose hash is checked.
    """
    body = _read(text)
    if not isinstance(body, dict) or body.keys() != _MEMBERS:
        raise MalformedLine("not an object of sequence, headers and data")
    sequence, told, data = body["sequence"], body["headers"], body["data"]
    if not isinstance(sequence, int) or isinstance(sequence, bool) or not 0 < sequence < 2**63:
        raise MalformedLine("sequence is not a number from 1 on")
    if not isinstance(told, dict) or not isinstance(data, str):
        raise MalformedLine("headers are not an object, or data is not a text")
    if len(told) > _MOST_HEADERS:
        raise MalformedLine("it has more headers than an event")
    headers: Headers = {}
    for name, value in told.items():
        if not isinstance(value, str) or not name.startswith("ce_"):
            raise MalformedLine("a header is not a ce_ attribute, or not a text")
        headers[name] = value.encode()
    team_id = told.get("ce_source", "").removeprefix(_SOURCE)
    line = _line_of(sequence, NewRecord(key=team_id.encode(), value=data.encode(), headers=headers))
    if headers.get("ce_sequence") != _digits(sequence):
        raise MalformedLine("sequence is not the event's ce_sequence")
    return line


def _line_of(sequence: int, record: NewRecord) -> LogLine:
    try:
        log_id, previous_hash = (text_of(record.headers, f"ce_{name}") for name in ("logid", "previoushash"))
    except MalformedRecord as error:
        raise MalformedLine(str(error)) from None
    team_id = (record.key or b"").decode()
    if record.headers.get("ce_source") != f"{_SOURCE}{team_id}".encode():
        raise MalformedLine("ce_source does not name a team")
    return LogLine(
        sequence=sequence,
        team_id=team_id,
        log_id=log_id,
        previous_hash=previous_hash,
        record=record,
        entry=canonical_bytes(record),
    )


def _digits(sequence: int) -> bytes:
    return f"{sequence:0{SEQUENCE_DIGITS}d}".encode()


def _read(text: bytes) -> Any:
    try:
        body = from_json(text)
        # A line in the form in which it is written is read alike by all; another has to be looked at closely.
        return body if to_json(body) == text.rstrip(b"\n") else parse(text, max_depth=MAX_EVENT_DEPTH)
    except (ValueError, InvalidJson) as error:
        raise MalformedLine(f"not JSON: {error}") from None
