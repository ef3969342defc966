"""The outcomes as they come in, for requests that wait: only those that count are believed.

A process that starts in mid-log takes the newest record of each partition, goes back to the fence that it
stands under, and applies the reader's rule from there; if that fence is gone it tries the next record.
"""

import asyncio
from dataclasses import dataclass

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError, OffsetOutOfRangeError

from command_api.recent import CommandPlace, RecentOutcomes
from events.errors import MalformedRecord
from events.outcome import Outcome, decode, is_mark
from events.readers_rule import NO_ONE, Standing, Verdict, fence_offset_of, judge
from events.record import COMMAND_OFFSET, Record, integer_of
from runtime.health import Health
from runtime.kafka import create_reader, record_of
from runtime.metrics import VOID_RECORDS
from runtime.settings import Settings
from runtime.topics import Topics

_PART = "outcomes"
_POLL_MS = 1000

logger = structlog.get_logger()


@dataclass(slots=True)
class _Following:
    """A partition being read; no standing while the fence to start from is still looked for."""

    begin: int
    standing: Standing | None = None


class OutcomeFeed:
    """Follows every partition of [outcomes]; `run` in a task of its own."""

    def __init__(self, settings: Settings, health: Health, partitions: int) -> None:
        topic = Topics(settings.topic_prefix).outcomes
        self._at = [TopicPartition(topic, partition) for partition in range(partitions)]
        self._reader: AIOKafkaConsumer = create_reader(settings, "patternlog-command-api", *self._at)
        self._health = health
        self._following: dict[TopicPartition, _Following] = {}
        self._waiting: dict[CommandPlace, asyncio.Future[Outcome]] = {}
        self._recent = RecentOutcomes()

    async def start(self) -> None:
        """Connect, and find where to begin in each partition."""
        await self._reader.start()
        await self._begin()

    async def _begin(self) -> None:
        begins = await self._reader.beginning_offsets(self._at)
        ends = await self._reader.end_offsets(self._at)
        for at in self._at:
            self._following[at] = _Following(begins[at])
            self._reader.seek(at, max(begins[at], ends[at] - 1))

    async def stop(self) -> None:
        """Disconnect; who still waits is told nothing."""
        await self._reader.stop()

    async def run(self) -> None:
        """Read for ever; while Kafka is away, health says so."""
        while True:
            try:
                await self._read_on()
                self._health.set(_PART, None)
            except KafkaError as error:
                logger.warning("outcomes_unreadable", reason=repr(error))
                self._health.set(_PART, repr(error))
                await asyncio.sleep(1)

    async def _read_on(self) -> None:
        try:
            found = await self._reader.getmany(timeout_ms=_POLL_MS)
        except OffsetOutOfRangeError:
            # Retention has overtaken this process; what it missed is looked up in Postgres.
            await self._begin()
            return
        for at, messages in found.items():
            self._take(at, messages)
        if not found:
            # A consumer says nothing when its broker is away; this request does.
            await self._reader.end_offsets(self._at)

    def outcome_of(self, place: CommandPlace) -> asyncio.Future[Outcome]:
        """The outcome of a command that was appended there, now or when it comes.

        Who no longer waits for it says so with `forget`.
        """
        future = self._waiting.setdefault(place, asyncio.get_running_loop().create_future())
        if not future.done() and (outcome := self.recent(place)) is not None:
            future.set_result(outcome)
        return future

    def forget(self, place: CommandPlace) -> None:
        """Nobody waits for this outcome any more."""
        self._waiting.pop(place, None)

    def recent(self, place: CommandPlace) -> Outcome | None:
        """A command's outcome, if it came lately."""
        record = self._recent.get(place)
        return None if record is None else self._read(record)

    def _take(self, at: TopicPartition, messages: list[ConsumerRecord]) -> None:
        following = self._following[at]
        for message in messages:
            record = record_of(message)
            if following.standing is None:
                fence_offset = fence_offset_of(record)
                if fence_offset is not None and following.begin <= fence_offset <= record.offset:
                    following.standing = NO_ONE
                    self._reader.seek(at, fence_offset)
                    return
                continue
            verdict, following.standing = judge(following.standing, record)
            if verdict is Verdict.VOID:
                VOID_RECORDS.labels(at.topic, at.partition).inc()
                logger.warning("void_record", topic=at.topic, partition=at.partition, offset=record.offset)
            elif verdict is Verdict.COUNTS and not is_mark(record):
                self._deliver(record)

    def _deliver(self, record: Record) -> None:
        try:
            place = (record.partition, integer_of(record.headers, COMMAND_OFFSET))
        except MalformedRecord as error:
            self._alarm(record, error)
            return
        # The answer may be here before the append's own acknowledgement.
        self._recent.add(place, record)
        future = self._waiting.get(place)
        if future is not None and not future.done() and (outcome := self._read(record)) is not None:
            future.set_result(outcome)

    def _read(self, record: Record) -> Outcome | None:
        try:
            return decode(record)
        except MalformedRecord as error:
            self._alarm(record, error)
            return None

    def _alarm(self, record: Record, error: MalformedRecord) -> None:
        self._health.alarm(_PART, f"offset {record.offset} of partition {record.partition}: {error}")
