"""The export: what counts in the topics, as segments in a folder; a second run adds what is new."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaTimeoutError

from events.errors import MalformedRecord
from events.readers_rule import NO_ONE, Standing, Verdict, judge
from events.record import Record
from events.shapes import utc_text
from projectors.reader import open_reader, read_bounds
from projectors.starting_point import find_first_fence
from runtime.kafka import record_of
from runtime.log_setup import LogIdentity, check_log, read_ends
from runtime.settings import Settings
from runtime.topics import Topics
from server.backup.errors import Refused
from server.backup.manifest import MANIFEST, UNFINISHED, Manifest, Place, Segment, load, save
from server.backup.segments import SegmentWriter

ORDER = ("tree_heads", "outcomes", "events", "commands")
"""A head has its events in the export, and an outcome its events and its command, if its end is asked for
before theirs."""
UNFENCED = frozenset({"commands", "tree_heads"})
"""Topics that have no fences, so that every record counts."""
SEGMENT_BYTES = 64 * 1024 * 1024
_RECORDS = 2_000

Report = Callable[[str, int, int, int], None]
"""Topic, partition, offset that was reached, and the end."""


def _tell_no_one(_topic: str, _partition: int, _offset: int, _end: int) -> None:
    """For callers that do not care."""


async def export_log(
    settings: Settings,
    folder: Path,
    *,
    final: bool = False,
    report: Report = _tell_no_one,
    segment_bytes: int = SEGMENT_BYTES,
) -> Manifest:
    """Add to an export what came since, and return its manifest.

    `final`: nothing is written to the log any more. Raise `Refused` if something was meanwhile, or if the
    folder holds another log, or what comes after the export has gone by retention.
    """
    identity = await check_log(settings)
    before = _begun(folder) or _nothing(identity)
    if (before.log_id, before.partitions) != (identity.log_id, identity.partitions):
        raise Refused(f"{folder} holds an export of the log {before.log_id}, this is {identity.log_id}")
    job = _Job(settings, folder, report, segment_bytes, before)
    ends = {}
    for topic in ORDER:
        ends[topic] = (await read_ends(settings))[topic]
        for partition in range(settings.log_partitions):
            await job.export(topic, partition, ends[topic][partition])
    if final and await read_ends(settings) != ends:
        raise Refused("something was appended meanwhile: stop every process before a final export")
    done = replace(job.manifest, final=final, exported_at=utc_text(datetime.now(UTC)))
    save(folder, done, MANIFEST)
    (folder / UNFINISHED).unlink(missing_ok=True)
    return done


def _begun(folder: Path) -> Manifest | None:
    folder.mkdir(parents=True, exist_ok=True)
    return load(folder, UNFINISHED) or load(folder)


def _nothing(identity: LogIdentity) -> Manifest:
    return Manifest(
        log_id=identity.log_id,
        ancestors=identity.ancestors,
        partitions=identity.partitions,
        exported_at="",
        final=False,
        void=0,
        places={topic: {} for topic in ORDER},
        segments=(),
    )


class _Job:
    def __init__(
        self, settings: Settings, folder: Path, report: Report, segment_bytes: int, before: Manifest
    ) -> None:
        self.manifest = before
        self._settings = settings
        self._folder = folder
        self._report = report
        self._segment_bytes = segment_bytes

    async def export(self, topic: str, partition: int, end: int) -> None:
        """Write segments of a partition up to an offset."""
        at = TopicPartition(Topics(self._settings.topic_prefix).by_role[topic], partition)
        async with open_reader(self._settings, "patternlog-export", at) as reader:
            place = await self._place(reader, at, topic)
            reader.seek(at, place.next_offset)
            while place.next_offset < end:
                place = await self._write_segment(reader, at, topic, place, end)

    async def _place(self, reader: AIOKafkaConsumer, at: TopicPartition, topic: str) -> Place:
        bounds = (await read_bounds(reader, at.topic, [at.partition]))[at.partition]
        place = self.manifest.places.get(topic, {}).get(at.partition)
        if place is None:
            first = bounds.begin if topic in UNFENCED else await find_first_fence(reader, at, bounds)
            place = _place(first, NO_ONE)
        if not bounds.hold(place.next_offset):
            raise Refused(
                f"{at.topic} partition {at.partition}: the export goes on at offset {place.next_offset}, "
                f"Kafka holds {bounds.begin} to {bounds.end}: export to another folder"
            )
        self._keep(topic, at.partition, place, None)
        return place

    async def _write_segment(
        self, reader: AIOKafkaConsumer, at: TopicPartition, topic: str, place: Place, end: int
    ) -> Place:
        with _segment(self._folder, topic, at.partition, place.next_offset) as segment:
            while place.next_offset < end and segment.bytes < self._segment_bytes:
                for record in await self._next(reader, at, end):
                    place = _take(segment, record, place, fenced=topic not in UNFENCED)
                self._report(topic, at.partition, place.next_offset, end)
            self._keep(topic, at.partition, place, segment.complete(place))
        save(self._folder, self.manifest, UNFINISHED)
        return place

    async def _next(self, reader: AIOKafkaConsumer, at: TopicPartition, end: int) -> list[Record]:
        patience = int(self._settings.kafka_request_timeout_s * 1000)
        found = await reader.getmany(at, timeout_ms=patience, max_records=_RECORDS)
        if not found:
            raise KafkaTimeoutError(f"no records of {at.topic} partition {at.partition} came")
        return [record_of(message) for message in found[at] if message.offset < end]

    def _keep(self, topic: str, partition: int, place: Place, segment: Segment | None) -> None:
        before = self.manifest
        self.manifest = replace(
            before,
            void=before.void + (segment.void if segment else 0),
            places={**before.places, topic: {**before.places.get(topic, {}), partition: place}},
            segments=(*before.segments, segment) if segment else before.segments,
        )


@contextmanager
def _segment(folder: Path, topic: str, partition: int, first_offset: int) -> Iterator[SegmentWriter]:
    segment = SegmentWriter(folder, topic, partition, first_offset)
    try:
        yield segment
    except BaseException:
        segment.abandon()
        raise


def _take(segment: SegmentWriter, record: Record, place: Place, *, fenced: bool) -> Place:
    verdict, standing = judge(place.standing, record) if fenced else (Verdict.COUNTS, place.standing)
    match verdict:
        case Verdict.COUNTS:
            _add(segment, record)
        case Verdict.VOID:
            segment.void += 1
        case Verdict.FENCE:
            pass
    return _place(record.offset + 1, standing)


def _add(segment: SegmentWriter, record: Record) -> None:
    try:
        segment.add(record)
    except MalformedRecord as error:
        raise Refused(f"partition {record.partition}, offset {record.offset} counts, and {error}") from None


def _place(next_offset: int, standing: Standing) -> Place:
    return Place(
        next_offset=next_offset,
        term=standing.term,
        writer=standing.writer,
        fence_offset=standing.fence_offset,
    )
