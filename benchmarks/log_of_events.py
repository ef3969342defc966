"""A log of events as deciders write them, appended without deciders."""

import random
import uuid

from benchmarks.commands import fields_of_pattern
from events.envelope import FIRST_PREVIOUS_HASH, Envelope, encode, record_hash
from events.pattern import PatternEdited, PatternRecorded, stream_of
from events.readers_rule import Standing, fence, stamps
from events.record import COMMAND_OFFSET, NewRecord
from events.registry import Event, type_of, write
from events.team import STREAM, TeamCreated
from runtime.kafka import append_batch, create_producer
from runtime.log_setup import check_log
from runtime.settings import Settings
from runtime.topics import Topics

_BATCH = 500
_TEAMS = 4
_EDITS = 3
"""Edits of a pattern, on the average: three events in four are edits."""
_AT = "2026-01-02T03:04:05.678Z"


async def append_events(settings: Settings, count: int) -> int:
    """So many events, in equal parts in each partition; how many those are."""
    log_id, rng = (await check_log(settings)).log_id, random.Random(1)
    each = count // settings.log_partitions
    async with create_producer(settings, "benchmark") as producer:
        topic = Topics(settings.topic_prefix).events
        for partition in range(settings.log_partitions):
            at = await append_batch(producer, topic, partition, [fence(term=2, writer="w", log_id=log_id)])
            writing = _Writing(log_id, Standing(term=2, writer="w", fence_offset=at), rng)
            for start in range(0, each, _BATCH):
                records = [writing.next() for _ in range(min(_BATCH, each - start))]
                await append_batch(producer, topic, partition, records)
    return each * settings.log_partitions


class _Writing:
    """One partition's events: four teams, whose patterns are recorded and edited."""

    def __init__(self, log_id: str, standing: Standing, rng: random.Random) -> None:
        self._log_id = log_id
        self._standing = standing
        self._rng = rng
        self._links: dict[str, tuple[int, str]] = {}
        self._versions: dict[tuple[str, str], int] = {}
        self._patterns: list[tuple[str, str]] = []

    def next(self) -> NewRecord:
        if len(self._links) < _TEAMS:
            return self._event(
                self._new_id(), STREAM, TeamCreated(name="Team", admin="ada", organization_id=None)
            )
        if self._patterns and self._rng.random() * (_EDITS + 1) > 1:
            team_id, pattern_id = self._rng.choice(self._patterns)
            version = self._versions[team_id, stream_of(pattern_id)]
            event = PatternEdited(
                base_version=version,
                own={},
                set={"description": f"edited {version}"},
                remove=[],
                merged={},
                overwrote=[],
            )
            return self._event(team_id, stream_of(pattern_id), event)
        key = (self._rng.choice(list(self._links)), self._new_id())
        self._patterns.append(key)
        return self._event(key[0], stream_of(key[1]), PatternRecorded(fields=fields_of_pattern()))

    def _event(self, team_id: str, stream: str, event: Event) -> NewRecord:
        sequence, link = self._links.get(team_id, (0, FIRST_PREVIOUS_HASH))
        version = self._versions.get((team_id, stream), 0) + 1
        record = encode(
            Envelope(
                log_id=self._log_id, team_id=team_id, stream=stream, sequence=sequence + 1, version=version,
                type=type_of(event), command_id=self._new_id(), command_hash="c" * 64, command_index=0,
                command_count=1, actor="ada", request_id="r-1", occurred_at=_AT, recorded_at=_AT,
                previous_hash=link, data=write(event),
            )
        )  # fmt: skip
        self._links[team_id] = (sequence + 1, record_hash(record))
        self._versions[team_id, stream] = version
        return record.with_headers({**stamps(self._standing), COMMAND_OFFSET: b"0"})

    def _new_id(self) -> str:
        return str(uuid.UUID(int=self._rng.getrandbits(128), version=4))
