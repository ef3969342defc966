"""The topic of tree heads, and the tables that are read from it and can be read from it anew.

A record's key is a team's id and its value a signed head, or the key is `keys` and the value a note of keys.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaTimeoutError
from asyncpg import Connection

from events.identifiers import is_uuid
from evidence.errors import EvidenceError, MalformedNote
from evidence.key_notes import keys_of
from evidence.notes import Note, parse_note
from evidence.tree_heads import TreeHead, parse_head
from projectors.notary.alarms import raise_alarm
from projectors.reader import Bounds, read_bounds
from runtime.topics import partition_of

KEYS = "keys"
_HEADERS = [("content-type", b"text/plain; charset=utf-8")]
_PATIENCE_MS = 10_000
_STAMP_BYTES = 8 + 64

_POSITIONS = "SELECT partition, next_offset FROM tree_head_positions"
_MOVE = """
INSERT INTO tree_head_positions VALUES ($1, $2)
ON CONFLICT (partition) DO UPDATE SET next_offset = excluded.next_offset
"""
_HEAD = "SELECT root, note FROM tree_heads WHERE team_id = $1 AND log_id = $2 AND size = $3"
_ADD = """
INSERT INTO tree_heads (team_id, log_id, size, root, time_s, note) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (team_id, log_id, size) DO UPDATE SET note = excluded.note
"""
_ADD_KEYS = 'INSERT INTO tree_keys ("offset", note) VALUES ($1, $2) ON CONFLICT DO NOTHING'


class BadHeadRecord(Exception):
    """A record of the topic that is neither a head nor a note of keys: someone has to look."""


@dataclass(frozen=True, slots=True)
class KeysRecord:
    """A note of keys."""

    note: Note


@dataclass(frozen=True, slots=True)
class HeadRecord:
    """A head of a team's log."""

    team_id: str
    log_id: str
    head: TreeHead
    note: Note


def read_record(key: bytes | None, value: bytes | None) -> KeysRecord | HeadRecord:
    """Read a record of the topic; raise `EvidenceError`."""
    try:
        name, note = (key or b"").decode(), parse_note((value or b"").decode())
    except UnicodeDecodeError:
        raise MalformedNote("not UTF-8") from None
    if name == KEYS:
        keys_of(note)
        return KeysRecord(note)
    head = parse_head(note.text)
    _, log_id, team_id = ("", *head.origin.rsplit("/", 2))[-3:]
    if team_id != name or not is_uuid(team_id) or not is_uuid(log_id):
        raise MalformedNote("the head is of another log than its record")
    return HeadRecord(team_id, log_id, head, note)


class HeadsLog:
    """Publishes notes, and reads the topic into the tables as far as it goes."""

    def __init__(
        self, topic: str, partitions: int, reader: AIOKafkaConsumer, producer: AIOKafkaProducer
    ) -> None:
        self._topic = topic
        self._partitions = partitions
        self._reader = reader
        self._producer = producer

    async def publish(self, key: str, note: Note) -> None:
        """Append a note; return when Kafka has it. Twice is harmless.

        Raise `EvidenceError` for what could not be read again: it would be there for ever.
        """
        read_record(key.encode(), str(note).encode())
        await self._producer.send_and_wait(
            self._topic,
            key=key.encode(),
            value=str(note).encode(),
            headers=_HEADERS,
            partition=partition_of(key, self._partitions),
        )

    async def catch_up(self, pg: Connection) -> None:
        """Read what the topic holds beyond the tables; raise `BadHeadRecord`."""
        bounds = await read_bounds(self._reader, self._topic, range(self._partitions))
        stored = {row[0]: row[1] for row in await pg.fetch(_POSITIONS)}
        for partition, held in bounds.items():
            await self._read(pg, partition, self._begin(partition, stored.get(partition, 0), held), held.end)

    def _begin(self, partition: int, stored: int, held: Bounds) -> int:
        if held.hold(stored):
            return stored
        log = structlog.get_logger(__name__)
        log.warning("tree heads are read anew", partition=partition, stored=stored, end=held.end)
        return held.begin

    async def _read(self, pg: Connection, partition: int, begin: int, end: int) -> None:
        at = TopicPartition(self._topic, partition)
        position = begin
        while position < end:
            self._reader.seek(at, position)
            found: dict[TopicPartition, Sequence[ConsumerRecord]] = await self._reader.getmany(
                at, timeout_ms=_PATIENCE_MS, max_records=500
            )
            messages = found.get(at, ())
            if not messages:
                raise KafkaTimeoutError(f"no records of {at.topic} partition {partition} came")
            position = messages[-1].offset + 1
            async with pg.transaction():
                for message in messages:
                    await _store(pg, message)
                await pg.execute(_MOVE, partition, position)


async def _store(pg: Connection, message: ConsumerRecord) -> None:
    try:
        record = read_record(message.key, message.value)
    except EvidenceError as error:
        where = f"{message.topic} partition {message.partition} offset {message.offset}"
        raise BadHeadRecord(f"{where}: {error}") from error
    match record:
        case KeysRecord():
            await pg.execute(_ADD_KEYS, message.offset, str(record.note))
        case HeadRecord():
            await _store_head(pg, record)
        case _:
            assert_never(record)


async def _store_head(pg: Connection, record: HeadRecord) -> None:
    team_id, log_id, head, note = record.team_id, record.log_id, record.head, record.note
    there = await pg.fetchrow(_HEAD, team_id, log_id, head.size)
    if there is not None and there["root"] != head.root:
        reason = f"two tree heads of size {head.size} have different roots"
        await raise_alarm(pg, team_id, log_id, reason, f"{there['note']}\n{note}")
        return
    if there is not None:
        note = parse_note(there["note"]).with_signatures(note.signatures)
    await pg.execute(_ADD, team_id, log_id, head.size, head.root, time_of(note), str(note))


def time_of(note: Note) -> int:
    """The POSIX time of the log's own stamp, which is the first one; 0 without any."""
    for one in note.signatures:
        if len(one.bytes) == _STAMP_BYTES:
            return int.from_bytes(one.bytes[:8], "big")
    return 0
