"""The envelope of an event: CloudEvents 1.0 in Kafka's binary content mode.

The event's attributes are `ce_*` headers, its data is the record's value as JSON. Headers without that
prefix (term, writer, fence, command_offset, kind) are the log's own bookkeeping: they are no part of the
event and change when a log moves to another cluster. See docs/events.md for every attribute.
"""

import hashlib
import struct
from collections.abc import Callable
from functools import lru_cache

from pydantic import ValidationError
from pydantic.dataclasses import dataclass

from events.errors import MalformedRecord
from events.organization import STREAM as ORGANIZATION_STREAM
from events.record import Headers, NewRecord, Record, integer_of, text_of
from events.shapes import EventType, Hash, Index, Ordinal, Stream, Text, Time, Uuid

CONTENT_TYPE = "content-type"
JSON_CONTENT = b"application/json"
SPEC_VERSION = "1.0"
FIRST_PREVIOUS_HASH = "0" * 64
SEQUENCE_DIGITS = 20
_HASH_DOMAIN = b"patternlog.event.v1"


@dataclass(frozen=True, kw_only=True, slots=True)
class Envelope:
    """One event of a team's log; made of anything but these shapes it raises `ValidationError`.

    `team_id` is the log's key: the id of a team, or of an organization, whose log has one stream.
    `sequence` counts from 1 without gaps in the log, `version` likewise in the stream.
    `occurred_at` is the client's claim, `recorded_at` the broker's append time of the command.
    `previous_hash` is `record_hash` of the log's event before, so that the log is a chain.
    """

    log_id: Uuid
    team_id: Uuid
    stream: Stream
    sequence: Ordinal
    version: Ordinal
    type: EventType
    command_id: Uuid
    command_hash: Hash
    command_index: Index
    command_count: Ordinal
    actor: Text
    request_id: Text
    occurred_at: Time
    recorded_at: Time
    previous_hash: Hash
    data: bytes

    @property
    def event_id(self) -> str:
        """Unique for ever: the same event is never given another id."""
        return f"{self.log_id}:{self.team_id}:{self.sequence}"

    @property
    def source(self) -> str:
        """The log that the event is of, as a path."""
        kind = "organizations" if self.stream == ORGANIZATION_STREAM else "teams"
        return f"/{kind}/{self.team_id}"


def encode(event: Envelope) -> NewRecord:
    """The record of an event, without the log's bookkeeping."""
    attributes = {
        "specversion": SPEC_VERSION,
        "id": event.event_id,
        "source": event.source,
        "type": event.type,
        "subject": event.stream,
        "time": event.occurred_at,
        "recordedtime": event.recorded_at,
        "sequence": f"{event.sequence:0{SEQUENCE_DIGITS}d}",
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
    headers[CONTENT_TYPE] = JSON_CONTENT
    return NewRecord(key=event.team_id.encode(), value=event.data, headers=headers)


def decode(record: Record | NewRecord) -> Envelope:
    """Read an event's record; raise `MalformedRecord` for one without the published shape."""
    headers = record.headers
    if headers.get("ce_specversion") != SPEC_VERSION.encode():
        raise MalformedRecord("ce_specversion is not 1.0")
    if headers.get(CONTENT_TYPE) != JSON_CONTENT:
        raise MalformedRecord("content-type is not application/json")
    if record.key is None or record.value is None:
        raise MalformedRecord("the key or the data is missing")
    try:
        event = Envelope(
            log_id=text_of(headers, "ce_logid"),
            team_id=record.key.decode("utf-8", "replace"),
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
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise MalformedRecord(f"{first['loc'][0]}: {first['msg']}") from None
    _check_identity(event, headers)
    return event


def _check_identity(event: Envelope, headers: Headers) -> None:
    if headers.get("ce_id") != event.event_id.encode():
        raise MalformedRecord("ce_id does not name this log, team and sequence")
    if headers.get("ce_source") != event.source.encode():
        raise MalformedRecord("ce_source does not name the key's team")
    if len(headers["ce_sequence"]) != SEQUENCE_DIGITS:
        raise MalformedRecord(f"ce_sequence does not have {SEQUENCE_DIGITS} digits")
    if event.command_index >= event.command_count:
        raise MalformedRecord("ce_commandindex is not below ce_commandcount")


def record_hash(record: Record | NewRecord) -> str:
    """SHA-256, in hex, of an event's record as written; see `canonical_bytes`."""
    return hashlib.sha256(canonical_bytes(record)).hexdigest()


def canonical_bytes(record: Record | NewRecord) -> bytes:
    """An event's record as written, as one text: what its hashes are over.

    A domain, the number of parts and each one's length as 4 bytes big-endian, and the parts: key, data, and
    name and value of each `ce_*` header in order of the names. Partition, offset and bookkeeping are left
    out, so the hashes survive a move to another cluster.
    """
    names, template, pack = _layout(tuple(record.headers))
    parts = template.copy()
    parts[:2] = record.key or b"", record.value or b""
    parts[3::2] = [record.headers[name] for name in names]
    return b"".join((_HASH_DOMAIN, pack(len(parts), *map(len, parts)), *parts))


@lru_cache(maxsize=256)
def _layout(headers: tuple[str, ...]) -> tuple[list[str], list[bytes], Callable[..., bytes]]:
    """The attributes in order, the parts with room for key, data and values, and how lengths are packed.

    Records of one version have their headers in one order, and this is most of the work.
    """
    names = sorted(name for name in headers if name.startswith("ce_"))
    template = [b"", b""]
    for name in names:
        template += (name.encode(), b"")
    return names, template, struct.Struct(f">{len(template) + 1}I").pack
