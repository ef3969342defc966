"""The envelope of an event: CloudEvents 1.0 in Kafka's binary content mode.

The event's attributes are `ce_*` headers, its data is the record's value as JSON. Headers without that
prefix (term, writer, fence, command_offset, kind) are the log's own bookkeeping: they are no part of the
event and change when a log moves to another cluster. See docs/events.md for every attribute.
"""

import hashlib
from dataclasses import dataclass

from events.errors import MalformedRecord
from events.identifiers import is_uuid
from events.record import Headers, NewRecord, Record, integer_of, text_of

CONTENT_TYPE = "content-type"
SPEC_VERSION = b"1.0"
FIRST_PREVIOUS_HASH = "0" * 64
_HASH_DOMAIN = b"patternlog.event.v1"
_CONTENT_TYPES = (b"application/json", b"application/json; charset=utf-8")


@dataclass(frozen=True, kw_only=True, slots=True)
class Envelope:
    """One event of a team's log. Ids are canonical UUID text, times RFC 3339 UTC, hashes lower-case hex.

    `sequence` counts from 1 without gaps in the log (one team), `version` likewise in the stream.
    `occurred_at` is the client's claim, `recorded_at` the broker's append time of the command.
    `previous_hash` is `record_hash` of the log's event before, so that the log is a chain.
    """

    log_id: str
    team_id: str
    stream: str
    sequence: int
    version: int
    type: str
    command_id: str
    command_hash: str
    command_index: int
    command_count: int
    actor: str
    request_id: str
    occurred_at: str
    recorded_at: str
    previous_hash: str
    data: bytes

    @property
    def event_id(self) -> str:
        """Unique for ever: the same event is never given another id."""
        return f"{self.log_id}:{self.team_id}:{self.sequence}"


def encode(event: Envelope) -> NewRecord:
    """The record of an event, without the log's bookkeeping."""
    attributes = {
        "specversion": "1.0",
        "id": event.event_id,
        "source": f"/teams/{event.team_id}",
        "type": event.type,
        "subject": event.stream,
        "time": event.occurred_at,
        "recordedtime": event.recorded_at,
        "sequence": f"{event.sequence:020d}",
        "streamversion": str(event.version),
        "logid": event.log_id,
        "commandid": event.command_id,
        "commandhash": event.command_hash,
        "commandindex": str(event.command_index),
        "commandcount": str(event.command_count),
        "actor": event.actor,
        "requestid": event.request_id,
        "previoushash": event.previous_hash,
    }
    headers = {f"ce_{name}": value.encode() for name, value in attributes.items()}
    headers[CONTENT_TYPE] = _CONTENT_TYPES[0]
    return NewRecord(key=event.team_id.encode(), value=event.data, headers=headers)


def decode(record: Record | NewRecord) -> Envelope:
    """Read an event's record; raise `MalformedRecord` for anything that `encode` would not have written."""
    headers = record.headers
    if headers.get("ce_specversion") != SPEC_VERSION:
        raise MalformedRecord("ce_specversion is not 1.0")
    if headers.get(CONTENT_TYPE) not in _CONTENT_TYPES:
        raise MalformedRecord("content-type is not application/json")
    if record.key is None or not is_uuid(team_id := record.key.decode("utf-8", "replace")):
        raise MalformedRecord("the key is not a team id")
    if record.value is None:
        raise MalformedRecord("the event has no data")
    event = Envelope(
        log_id=text_of(headers, "ce_logid"),
        team_id=team_id,
        stream=text_of(headers, "ce_subject"),
        sequence=integer_of(headers, "ce_sequence"),
        version=integer_of(headers, "ce_streamversion"),
        type=text_of(headers, "ce_type"),
        command_id=text_of(headers, "ce_commandid"),
        command_hash=text_of(headers, "ce_commandhash"),
        command_index=integer_of(headers, "ce_commandindex"),
        command_count=integer_of(headers, "ce_commandcount"),
        actor=text_of(headers, "ce_actor"),
        request_id=text_of(headers, "ce_requestid"),
        occurred_at=text_of(headers, "ce_time"),
        recorded_at=text_of(headers, "ce_recordedtime"),
        previous_hash=text_of(headers, "ce_previoushash"),
        data=record.value,
    )
    _check_identity(event, headers)
    return event


def _check_identity(event: Envelope, headers: Headers) -> None:
    if text_of(headers, "ce_id") != event.event_id:
        raise MalformedRecord("ce_id does not name this log, team and sequence")
    if text_of(headers, "ce_source") != f"/teams/{event.team_id}":
        raise MalformedRecord("ce_source does not name the key's team")
    if event.command_index >= event.command_count:
        raise MalformedRecord("ce_commandindex is not below ce_commandcount")


def record_hash(record: Record | NewRecord) -> str:
    """SHA-256, in hex, of an event's record as written: key, data and attributes, each length-prefixed.

    Partition, offset and the bookkeeping headers are left out, so the hash survives a move
    to another cluster.
    """
    parts = [_HASH_DOMAIN, record.key or b"", record.value or b""]
    for name in sorted(record.headers):
        if name.startswith("ce_"):
            parts += (name.encode(), record.headers[name])
    return hashlib.sha256(b"".join(b"%d:%b" % (len(part), part) for part in parts)).hexdigest()
