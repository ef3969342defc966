"""Making the log: its topics, and the first fence and mark of each partition; and checking it at start."""

import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import stamina
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import TopicAlreadyExistsError, UnknownTopicOrPartitionError, for_code

from events.outcome import Position, mark
from events.readers_rule import Standing, fence, stamps
from events.record import LOG_ID, NewRecord, Record, text_of
from runtime.imported import Imported, imported_of
from runtime.kafka import (
    MAX_BATCH_BYTES,
    append_batch,
    client_options,
    create_producer,
    create_reader,
    record_of,
)
from runtime.settings import Settings
from runtime.topics import Topics

_DAY_MS = 24 * 60 * 60 * 1000
_COMMANDS_RETENTION_MS = 30 * _DAY_MS
_OUTCOMES_RETENTION_MS = 37 * _DAY_MS
_FIRST_TERM = 1


class LogNotUsable(Exception):
    """The log is missing, half made, or not the one that the settings describe."""


class LogNotReady(LogNotUsable):
    """The log is made, but Kafka cannot serve it at this moment."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LogIdentity:
    """Which log this is; the id changes when a log is restored to an earlier state."""

    log_id: str
    partitions: int
    imported: Imported | None = None

    @property
    def ancestors(self) -> tuple[str, ...]:
        """The ids that the log had before, the latest first."""
        return self.imported.ancestors if self.imported else ()

    @property
    def log_ids(self) -> tuple[str, ...]:
        """Its id, and those that it had before: what its events bear."""
        return (self.log_id, *self.ancestors)


async def create_log(settings: Settings) -> LogIdentity:
    """Make the log where it is not there yet; what is there is left alone.

    Two at once, or one that died half-way, are harmless: of two first fences the second has an equal term
    and is void. Raise `LogNotUsable` when commands are there but no outcomes: an answer may have been lost.
    """
    await create_topics(settings)
    topics = Topics(settings.topic_prefix)
    if not await _is_empty(settings, topics.events, 0):
        _check_import(await read_identity(settings), await read_ends(settings))
    log_id, writer = str(uuid.uuid4()), f"genesis-{uuid.uuid4()}"
    for partition in range(settings.log_partitions):
        if await _is_empty(settings, topics.events, partition):
            await _append(settings, topics.events, partition, [_first_fence(writer, log_id)])
        log_id = await _log_id(settings, partition)
        if await _is_empty(settings, topics.outcomes, partition):
            if not await _is_empty(settings, topics.commands, partition):
                raise LogNotUsable(f"partition {partition} has commands but no outcomes: they were lost")
            records = [_first_fence(writer, log_id), _first_mark(writer, log_id)]
            await _append(settings, topics.outcomes, partition, records)
    return await check_log(settings)


async def check_log(settings: Settings) -> LogIdentity:
    """The log's identity; raise `LogNotUsable` unless it is complete and has the settings' partitions."""
    await _check_partitions(settings)
    ends = await read_ends(settings)
    if ends["events"][0] > 0:
        _check_import(await read_identity(settings), ends)
    for role in ("events", "outcomes"):
        for partition, end in enumerate(ends[role]):
            if end == 0:
                name = Topics(settings.topic_prefix).by_role[role]
                raise LogNotUsable(f"{name} partition {partition} has no first fence: run `patternlog setup`")
    return await read_identity(settings)


async def read_identity(settings: Settings) -> LogIdentity:
    """What the first fence of partition 0 says, be the log complete or not."""
    first = await _first_record(settings, Topics(settings.topic_prefix).events, 0)
    return LogIdentity(
        log_id=text_of(first.headers, LOG_ID),
        partitions=settings.log_partitions,
        imported=imported_of(first.headers),
    )


def _check_import(identity: LogIdentity, ends: Mapping[str, tuple[int, ...]]) -> None:
    if identity.imported and not identity.imported.is_within(ends):
        raise LogNotUsable("the log's import has not ended: run the same `patternlog log import` again")


async def read_ends(settings: Settings) -> dict[str, tuple[int, ...]]:
    """Where the partitions of each topic end, by the topic's role."""
    roles = Topics(settings.topic_prefix).by_role
    ends = await _end_offsets(settings, tuple(roles.values()))
    partitions = range(settings.log_partitions)
    return {
        role: tuple(int(ends[TopicPartition(name, p)]) for p in partitions) for role, name in roles.items()
    }


async def create_topics(settings: Settings) -> None:
    """Make the topics that are not there yet; raise `LogNotUsable` for others than the settings describe."""
    topics = Topics(settings.topic_prefix)
    retentions = {
        topics.commands: _COMMANDS_RETENTION_MS,
        topics.events: -1,
        topics.outcomes: _OUTCOMES_RETENTION_MS,
        topics.tree_heads: -1,
    }
    async with _admin(settings) as admin:
        wanted = [_topic(settings, name, retention) for name, retention in retentions.items()]
        response = await admin.create_topics(wanted)
    for name, code, message in response.topic_errors:
        error = for_code(code)
        if code and error is not TopicAlreadyExistsError:
            raise LogNotUsable(f"topic {name} was not made: {error.__name__}: {message}")
    async for attempt in stamina.retry_context(on=LogNotUsable, timeout=settings.kafka_request_timeout_s):
        with attempt:
            await _check_partitions(settings)


@asynccontextmanager
async def _admin(settings: Settings) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(**client_options(settings))
    try:
        await admin.start()
        yield admin
    finally:
        await admin.close()


def _topic(settings: Settings, name: str, retention_ms: int) -> NewTopic:
    return NewTopic(
        name=name,
        num_partitions=settings.log_partitions,
        replication_factor=settings.log_replication,
        topic_configs={
            "retention.ms": str(retention_ms),
            "retention.bytes": "-1",
            "cleanup.policy": "delete",
            "max.message.bytes": str(MAX_BATCH_BYTES),
            "message.timestamp.type": "LogAppendTime",
            "min.insync.replicas": "2" if settings.log_replication > 2 else "1",
            "unclean.leader.election.enable": "false",
        },
    )


async def _check_partitions(settings: Settings) -> None:
    async with _admin(settings) as admin:
        for topic in await admin.describe_topics(list(Topics(settings.topic_prefix).all)):
            name, there = topic["topic"], topic["partitions"]
            if for_code(topic["error_code"]) is UnknownTopicOrPartitionError:
                raise LogNotUsable(f"topic {name} does not exist: run `patternlog setup`")
            if len(there) != settings.log_partitions:
                raise LogNotUsable(
                    f"topic {name} has {len(there)} partitions, PATTERNLOG_LOG_PARTITIONS says "
                    f"{settings.log_partitions}; a log's partitions never change"
                )
            if any(partition["error_code"] for partition in there):
                raise LogNotReady(f"topic {name} has a partition without a leader")


async def _end_offsets(settings: Settings, topics: tuple[str, ...]) -> dict[TopicPartition, int]:
    partitions = [TopicPartition(topic, p) for topic in topics for p in range(settings.log_partitions)]
    async with _consumer(settings) as consumer:
        return dict(await consumer.end_offsets(partitions))


def _consumer(settings: Settings) -> AIOKafkaConsumer:
    return AIOKafkaConsumer(**client_options(settings), group_id=None, enable_auto_commit=False)


async def _is_empty(settings: Settings, topic: str, partition: int) -> bool:
    at = TopicPartition(topic, partition)
    async with _consumer(settings) as consumer:
        return int((await consumer.end_offsets([at]))[at]) == 0


async def _log_id(settings: Settings, partition: int) -> str:
    record = await _first_record(settings, Topics(settings.topic_prefix).events, partition)
    return text_of(record.headers, LOG_ID)


async def _first_record(settings: Settings, topic: str, partition: int) -> Record:
    at = TopicPartition(topic, partition)
    async with create_reader(settings, "patternlog-setup", at) as reader:
        reader.seek(at, 0)
        found = await reader.getmany(
            at, timeout_ms=int(settings.kafka_request_timeout_s * 1000), max_records=1
        )
        if not found:
            raise LogNotUsable(f"the first record of {topic} partition {partition} cannot be read")
        return record_of(found[at][0])


def _first_fence(writer: str, log_id: str) -> NewRecord:
    return fence(term=_FIRST_TERM, writer=writer, log_id=log_id)


def _first_mark(writer: str, log_id: str) -> NewRecord:
    first = mark(Position(next_command_offset=0, events_end=1), log_id=log_id)
    standing = Standing(term=_FIRST_TERM, writer=writer, fence_offset=0)
    return first.with_headers(stamps(standing))


async def _append(settings: Settings, topic: str, partition: int, records: list[NewRecord]) -> None:
    async with create_producer(settings, "patternlog-setup") as producer:
        await append_batch(producer, topic, partition, records)
