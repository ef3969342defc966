"""Records of [events] as a decider writes them, and as it would not."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from events.envelope import FIRST_PREVIOUS_HASH, Envelope, encode, record_hash
from events.json_text import Json
from events.merge_rules import Rule
from events.pattern import (
    ConflictField,
    PatternConflictDetected,
    PatternConflictResolved,
    PatternEdited,
    Present,
    stream_of,
)
from events.readers_rule import NO_ONE, Standing, fence, stamps
from events.record import COMMAND_OFFSET, KIND, NewRecord, Record
from events.registry import Event, type_of, write
from events.team import STREAM as TEAM_STREAM
from tests.facts import team_created

LOG_ID = "0190a5d0-0000-7000-8000-000000000001"
RECORDED_AT = "2026-03-01T12:00:00.000Z"


def edited(base_version: int, *removed: str, **fields: Json) -> PatternEdited:
    """An edit that met no other."""
    return PatternEdited(
        base_version=base_version, own={}, set=fields, remove=list(removed), merged={}, overwrote=[]
    )


def detected(conflict_id: str, **mine: Json) -> PatternConflictDetected:
    """An edit of the first version, each of whose fields is in conflict."""
    return PatternConflictDetected(
        conflict_id=conflict_id,
        base_version=1,
        own={},
        base_known=True,
        fields={
            name: ConflictField(
                rule=Rule.VALUE,
                clashes=True,
                base=None,
                theirs=Present(value="theirs"),
                mine=Present(value=value),
            )
            for name, value in mine.items()
        },
    )


def resolved(conflict_id: str, base_version: int, *removed: str, **fields: Json) -> PatternConflictResolved:
    """The end of a conflict with new values."""
    return PatternConflictResolved(
        conflict_id=conflict_id,
        base_version=base_version,
        choices=dict.fromkeys([*fields, *removed], "new"),
        set=fields,
        remove=list(removed),
    )


@dataclass(kw_only=True)
class _Chain:
    sequence: int = 0
    hash: str = FIRST_PREVIOUS_HASH


class Scribe:
    """One partition's [events]: what is written gets the next offset, and lies in `records`."""

    def __init__(
        self, *, partition: int = 0, log_id: str = LOG_ID, seed: int = 0, first_offset: int = 0
    ) -> None:
        self.records: list[Record] = []
        self.standing = NO_ONE
        self.log_id = log_id
        self.recorded_at = RECORDED_AT
        self._partition = partition
        self._random = Random(seed)
        self._first_offset = first_offset
        self._chains: dict[str, _Chain] = {}
        self._versions: dict[tuple[str, str], int] = {}

    @property
    def next_offset(self) -> int:
        return self._first_offset + len(self.records)

    def new_id(self) -> str:
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def write(self, record: NewRecord) -> Record:
        """Append any record as it is."""
        written = Record(
            partition=self._partition,
            offset=self.next_offset,
            timestamp_ms=0,
            key=record.key,
            value=record.value,
            headers=record.headers,
        )
        self.records.append(written)
        return written

    def fence(
        self, *, term: int | None = None, writer: str = "decider", log_id: str | None = None
    ) -> Standing:
        """Take the partition; with a term that is not higher the fence is void."""
        new_term = self.standing.term + 1 if term is None else term
        written = self.write(fence(term=new_term, writer=writer, log_id=log_id or self.log_id))
        if new_term > self.standing.term:
            self.standing = Standing(term=new_term, writer=writer, fence_offset=written.offset)
        return self.standing

    def team(self, name: str = "Team") -> str:
        """Create a team; its id."""
        team_id = self.new_id()
        self.command(team_id, (TEAM_STREAM, team_created(name)))
        return team_id

    def pattern(self, team_id: str, event: Event, pattern_id: str | None = None) -> str:
        """An event of a pattern, a new one if none is named; its id."""
        pattern_id = pattern_id or self.new_id()
        self.command(team_id, (stream_of(pattern_id), event))
        return pattern_id

    def command(self, team_id: str, *events: tuple[str, Event], **other: Any) -> list[Record]:
        """The events of one command. `other` replaces attributes of their envelopes."""
        command = {"command_id": self.new_id(), "command_count": len(events), **other}
        return [
            self._event(team_id, stream, event, {"command_index": index, **command})
            for index, (stream, event) in enumerate(events)
        ]

    def void(self, record: Record, *, writer: str = "zombie") -> Record:
        """Append a record again as a writer would that no longer holds the partition."""
        old = replace(self.standing, term=self.standing.term - 1, writer=writer)
        return self.write(
            NewRecord(key=record.key, value=record.value, headers={**record.headers, **stamps(old)})
        )

    def counting(self, record: NewRecord) -> Record:
        """Append any record under the current fence."""
        return self.write(replace(record, headers={**record.headers, **stamps(self.standing)}))

    def _event(self, team_id: str, stream: str, event: Event, command: dict[str, Any]) -> Record:
        chain = self._chains.setdefault(team_id, _Chain())
        version = self._versions.get((team_id, stream), 0) + 1
        facts: dict[str, Any] = {
            "log_id": self.log_id,
            "team_id": team_id,
            "stream": stream,
            "sequence": chain.sequence + 1,
            "version": version,
            "type": type_of(event),
            "command_hash": "c" * 64,
            "actor": "ada",
            "request_id": "r-1",
            "occurred_at": RECORDED_AT,
            "recorded_at": self.recorded_at,
            "previous_hash": chain.hash,
            "data": write(event),
            **command,
        }
        record = encode(Envelope(**facts))
        chain.sequence, chain.hash = chain.sequence + 1, record_hash(record)
        self._versions[team_id, stream] = version
        return self.counting(record.with_headers({KIND: b"event", COMMAND_OFFSET: b"%d" % self.next_offset}))


def new_records(records: Sequence[Record]) -> list[NewRecord]:
    """Written records as they are sent to Kafka."""
    return [NewRecord(key=record.key, value=record.value, headers=record.headers) for record in records]
