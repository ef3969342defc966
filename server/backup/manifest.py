"""The manifest of an export: which log, which segments, and how far each partition was read.

It is replaced as a whole and last, so it always tells of an export that is complete. While one is being
made, the same is kept as `unfinished.json`, where the next run goes on.
"""

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from events.readers_rule import Standing
from server.backup.errors import Damaged, Refused

MANIFEST, UNFINISHED = "manifest.json", "unfinished.json"


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """How far a partition was read, and who may write there."""

    next_offset: int
    term: int
    writer: str
    fence_offset: int

    @property
    def standing(self) -> Standing:
        """The reader's rule goes on with it."""
        return Standing(term=self.term, writer=self.writer, fence_offset=self.fence_offset)


@dataclass(frozen=True, kw_only=True, slots=True)
class Segment:
    """One file: the records that count from an offset up to another one, `void` being left out."""

    file: str
    topic: str
    partition: int
    first_offset: int
    next_offset: int
    records: int
    void: int
    sequences: tuple[int, int] | None
    sha256: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Manifest:
    """All that is known of an export. `final`: nothing was written to the log any more."""

    format: Literal["patternlog.log-export.v1"] = "patternlog.log-export.v1"
    log_id: str
    ancestors: tuple[str, ...]
    partitions: int
    exported_at: str
    final: bool
    void: int
    places: dict[str, dict[int, Place]]
    segments: tuple[Segment, ...]

    def segments_of(self, topic: str, partition: int) -> Iterator[Segment]:
        """The segments of one partition, in order."""
        return (one for one in self.segments if (one.topic, one.partition) == (topic, partition))

    @property
    def sha256(self) -> str:
        """The sum over the manifest's JSON with sorted keys and no blanks."""
        text = json.dumps(_MANIFEST.dump_python(self, mode="json"), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


_MANIFEST = TypeAdapter(Manifest)


def load(folder: Path, name: str = MANIFEST) -> Manifest | None:
    """The manifest, if there is one; raise `Damaged` for one that is not as it was written."""
    path = folder / name
    try:
        signed = json.loads(path.read_bytes())
        manifest = _MANIFEST.validate_python(signed["manifest"], strict=False)
        if manifest.sha256 != signed["sha256"]:
            raise Damaged(f"{path}: its SHA-256 is another one")
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError, ValidationError) as error:
        raise Damaged(f"{path}: no manifest of an export: {error}") from None
    return manifest


def load_complete(folder: Path) -> Manifest:
    """The manifest of a complete export; raise `Refused` where there is none."""
    manifest = load(folder)
    if manifest is None:
        raise Refused(f"{folder / MANIFEST} is not there: no export, or one that has not ended")
    return manifest


def save(folder: Path, manifest: Manifest, name: str) -> None:
    """Put a manifest in its place, whole or not at all."""
    signed = {"manifest": _MANIFEST.dump_python(manifest, mode="json"), "sha256": manifest.sha256}
    part = folder / f"{name}.part"
    with part.open("w") as file:
        json.dump(signed, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    part.rename(folder / name)
    sync_folder(folder)


def sync_folder(folder: Path) -> None:
    """Make sure that a new name in a folder outlives a loss of power."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
