"""Segments: gzip files of lines, written whole or not at all, and read in constant memory."""

import gzip
import hashlib
import os
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from events.record import Record, integer_of
from server.backup.errors import Damaged
from server.backup.lines import Kept, event_line, read_line, record_line
from server.backup.manifest import Manifest, Place, Segment, sync_folder

EVENTS = "events"


class SegmentWriter:
    """The segment of a partition that begins at an offset; it has its name when it is complete."""

    def __init__(self, folder: Path, topic: str, partition: int, first_offset: int) -> None:
        self.bytes = 0
        self.void = 0
        self._folder = folder
        self._topic = topic
        self._partition = partition
        self._first_offset = first_offset
        self._records = 0
        self._sequences: tuple[int, int] | None = None
        self._name = f"{topic}-{partition:04d}-{first_offset:020d}.jsonl.gz"
        self._part = folder / f"{self._name}.part"
        self._raw = self._part.open("wb")
        self._lines = gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=self._raw, mtime=0)

    def add(self, record: Record) -> None:
        """Write one more record that counts."""
        if self._topic == EVENTS:
            line = event_line(record)
            sequence = integer_of(record.headers, "ce_sequence")
            low, high = self._sequences or (sequence, sequence)
            self._sequences = (min(low, sequence), max(high, sequence))
        else:
            line = record_line(record)
        self._lines.write(line)
        self._records += 1
        self.bytes += len(line)

    def complete(self, place: Place) -> Segment:
        """Close it at a place, and give it its name."""
        self._lines.close()
        self._raw.flush()
        os.fsync(self._raw.fileno())
        self._raw.close()
        self._part.rename(self._folder / self._name)
        sync_folder(self._folder)
        return Segment(
            file=self._name,
            topic=self._topic,
            partition=self._partition,
            first_offset=self._first_offset,
            next_offset=place.next_offset,
            records=self._records,
            void=self.void,
            sequences=self._sequences,
            sha256=sum_of(self._folder / self._name),
        )

    def abandon(self) -> None:
        """Close it without a name; the next run writes it anew."""
        # On a full disk they fail again; what is to be heard of is the first failure.
        with suppress(OSError):
            self._lines.close()
        with suppress(OSError):
            self._raw.close()
        self._part.unlink(missing_ok=True)


def sum_of(path: Path) -> str:
    """A file's SHA-256 in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_segment(folder: Path, segment: Segment) -> Iterator[Kept]:
    """The records of a segment; raise `Damaged` at what cannot be read."""
    count = 0
    try:
        with gzip.open(folder / segment.file, "rb") as lines:
            for line in lines:
                count += 1
                yield read_line(line)
    except (OSError, EOFError, zlib.error, ValueError, KeyError, TypeError, AttributeError) as error:
        raise Damaged(f"{segment.file}: line {count}: {error!r}") from None
    if count != segment.records:
        raise Damaged(f"{segment.file}: it has {count} records, the manifest says {segment.records}")


def read_partition(folder: Path, manifest: Manifest, topic: str, partition: int) -> Iterator[Kept]:
    """The records of a partition, in order."""
    for segment in manifest.segments_of(topic, partition):
        yield from read_segment(folder, segment)
