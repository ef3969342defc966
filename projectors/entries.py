"""Events out of records that count: decoded, and whole commands only."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from events.envelope import Envelope, canonical_bytes, decode
from events.errors import EventError
from events.record import TERM, Record, text_of
from events.registry import Event, read
from evidence.merkle import hash_leaf
from projectors.errors import Broken
from projectors.json_rows import check_json

UNREADABLE = (EventError, ValueError, OverflowError)


class Hashes(NamedTuple):
    """Of a record as written: what the next event of its team's log names, and the leaf of the tree."""

    link: str
    leaf: bytes


def hashes_of(record: Record) -> Hashes:
    """Both, of bytes that are put together once."""
    written = canonical_bytes(record)
    return Hashes(hashlib.sha256(written).hexdigest(), hash_leaf(written))


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """An event where it stands in the log; `command_start` is the offset of its command's first event."""

    offset: int
    command_start: int
    term: bytes
    envelope: Envelope
    event: Event
    recorded_at: datetime
    hash: str
    leaf: bytes


def read_entries(records: Sequence[Record], log_id: str, ancestors: Sequence[str] = ()) -> list[Entry]:
    """Decode records that count; raise `Broken` at the first one that is no event of this log.

    `ancestors` are the ids that the log had before it was restored; its older events bear them.

    The events of one command follow one another, under one fence: they were appended as one.
    """
    log_ids = (log_id, *ancestors)
    entries: list[Entry] = []
    last: Entry | None = None
    for record in records:
        start = record.offset if last is None or _ends_command(last) else last.command_start
        try:
            entry = read_entry(record, start, log_ids, hashes_of(record))
        except UNREADABLE as error:
            raise Broken(start, f"the event at offset {record.offset} cannot be read: {error}") from error
        if not _follows(last, entry):
            raise Broken(start, f"offset {record.offset} cuts through the events of a command")
        entries.append(entry)
        last = entry
    return entries


def incomplete_from(entries: Sequence[Entry]) -> int | None:
    """The offset from which on the last command is not whole yet; None when it is."""
    if not entries or _ends_command(entries[-1]):
        return None
    return entries[-1].command_start


def read_entry(record: Record, command_start: int, log_ids: Sequence[str], hashes: Hashes) -> Entry:
    """Decode one record, of known hashes; raise one of `UNREADABLE` when it is no event of this log."""
    envelope = decode(record)
    if envelope.log_id not in log_ids:
        raise ValueError(f"it belongs to the log {envelope.log_id}")
    check_json(envelope.data)
    return Entry(
        offset=record.offset,
        command_start=command_start,
        term=record.headers[TERM],
        envelope=envelope,
        event=read(envelope.type, envelope.data),
        recorded_at=_moment(envelope.recorded_at),
        hash=hashes.link,
        leaf=hashes.leaf,
    )


def recorded_at(record: Record) -> datetime:
    """When an event was recorded, of its record alone; raise one of `UNREADABLE` when that is no time."""
    return _moment(text_of(record.headers, "ce_recordedtime"))


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _ends_command(entry: Entry) -> bool:
    return entry.envelope.command_index + 1 == entry.envelope.command_count


def _follows(last: Entry | None, entry: Entry) -> bool:
    now = entry.envelope
    if last is None or _ends_command(last):
        return now.command_index == 0
    before = last.envelope
    return (now.command_id, now.command_index, now.command_count, entry.term) == (
        before.command_id,
        before.command_index + 1,
        before.command_count,
        last.term,
    )
