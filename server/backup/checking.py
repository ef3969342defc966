"""Checking an export without a cluster: sums, order, chains, heads; and what an import has to know of it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from events.envelope import FIRST_PREVIOUS_HASH, decode, record_hash
from events.errors import MalformedRecord
from events.outcome import is_mark, position_of
from evidence.leaves import leaf_of
from evidence.merkle import Frontier
from server.backup.errors import Damaged, Refused
from server.backup.lines import Kept
from server.backup.manifest import Manifest, Segment, load_complete
from server.backup.segments import read_segment, sum_of
from server.backup.signed_heads import SignedHeads

Report = Callable[[str, int, int], None]
"""A segment's file, how many were read, and how many there are."""


def _tell_no_one(_file: str, _done: int, _all: int) -> None:
    """For callers that do not care."""


@dataclass(kw_only=True, slots=True)
class Contents:
    """What an export holds of one partition, in the offsets that it had.

    Outcomes are there from the command `answered_from` on; `next_command` is the first without one.
    `owed` is the place of the first event whose command has no outcome, counted from 0.
    """

    partition: int
    events: int = 0
    outcomes: int = 0
    tree_heads: int = 0
    answered_from: int | None = None
    next_command: int | None = None
    commands_from: int | None = None
    commands_end: int = 0
    owed: int | None = None


@dataclass(kw_only=True, slots=True)
class Checked:
    """An export that is what its manifest says."""

    manifest: Manifest
    contents: list[Contents] = field(default_factory=list)


def check_export(folder: Path, report: Report = _tell_no_one) -> Checked:
    """Check every file; raise `Damaged` with all that were altered, else with the first break.

    Memory grows with the teams and the heads, not with the events.
    """
    manifest = load_complete(folder)
    if wrong := [problem for one in manifest.segments if (problem := _problem(folder, one))]:
        raise Damaged("; ".join(wrong))
    checked = Checked(manifest=manifest)
    reading = _Reading(folder, manifest, report)
    for partition in range(manifest.partitions):
        contents = Contents(partition=partition)
        reading.read_outcomes(contents)
        reading.read_commands(contents)
        reading.read_events(contents, reading.read_heads(contents))
        checked.contents.append(contents)
    return checked


def _problem(folder: Path, segment: Segment) -> str | None:
    try:
        if sum_of(folder / segment.file) == segment.sha256:
            return None
    except OSError as error:
        return f"{segment.file}: {error.strerror}"
    return f"{segment.file}: its SHA-256 is not the manifest's"


class _Reading:
    def __init__(self, folder: Path, manifest: Manifest, report: Report) -> None:
        self._folder = folder
        self._manifest = manifest
        self._report = report
        self._done = 0
        self._log_ids = (manifest.log_id, *manifest.ancestors)
        self._last: dict[bytes, str] = {}
        self._trees: dict[bytes, Frontier] = {}

    def read_outcomes(self, contents: Contents) -> None:
        """One outcome to each command, in order; the last record tells which command is next."""
        for segment, kept in self._records("outcomes", contents.partition):
            record = kept.record
            if not is_mark(record):
                expected = contents.next_command
                if contents.answered_from is None:
                    contents.answered_from = kept.command_offset
                elif kept.command_offset != expected:
                    raise _break(segment, kept, f"it answers command {kept.command_offset}, not {expected}")
                contents.outcomes += 1
            contents.next_command = _next_command(segment, kept)
        if contents.next_command is None:
            raise Damaged(f"outcomes of partition {contents.partition}: not even a mark is there")

    def read_commands(self, contents: Contents) -> None:
        """Commands without a gap, from the next one at the latest."""
        end, owed_from = None, contents.next_command or 0
        for segment, kept in self._records("commands", contents.partition):
            if end is not None and kept.offset != end:
                raise _break(segment, kept, f"command {end} is missing")
            if end is None:
                contents.commands_from = kept.offset
            end = kept.offset + 1
        contents.commands_end = owed_from if end is None else end
        begin = contents.commands_end if contents.commands_from is None else contents.commands_from
        if not begin <= owed_from <= contents.commands_end:
            raise Refused(
                f"partition {contents.partition}: command {owed_from} has no outcome, and is not there"
            )

    def read_heads(self, contents: Contents) -> SignedHeads:
        """Heads and notes of keys, without a gap."""
        heads, end = SignedHeads(self._log_ids), None
        for segment, kept in self._records("tree_heads", contents.partition):
            if end is not None and kept.offset != end:
                raise _break(segment, kept, f"the record of offset {end} is missing")
            end = kept.offset + 1
            heads.add(segment, kept)
            contents.tree_heads += 1
        return heads

    def read_events(self, contents: Contents, heads: SignedHeads) -> None:
        """Each team's chain without a gap, from its first event on, with the trees that were signed."""
        for segment, kept in self._records("events", contents.partition):
            key, tree = self._follow(segment, kept)
            heads.compare(key, tree)
            if contents.owed is None and kept.command_offset >= (contents.next_command or 0):
                contents.owed = contents.events
            contents.events += 1
        heads.check_none_left()

    def _follow(self, segment: Segment, kept: Kept) -> tuple[bytes, Frontier]:
        try:
            event = decode(kept.record)
        except MalformedRecord as error:
            raise _break(segment, kept, str(error)) from None
        key = kept.record.key or b""
        tree, link = self._trees.setdefault(key, Frontier()), self._last.get(key, FIRST_PREVIOUS_HASH)
        sequence = tree.size
        if event.sequence != sequence + 1:
            raise _break(segment, kept, f"sequence {event.sequence} of {event.team_id} follows {sequence}")
        if event.previous_hash != link:
            raise _break(
                segment, kept, f"it does not name the hash of sequence {sequence} of {event.team_id}"
            )
        if event.log_id not in self._log_ids:
            raise _break(segment, kept, f"it belongs to the log {event.log_id}")
        self._last[key] = record_hash(kept.record)
        tree.add(leaf_of(kept.record))
        return key, tree

    def _records(self, topic: str, partition: int) -> Iterator[tuple[Segment, Kept]]:
        place = None
        for segment in self._manifest.segments_of(topic, partition):
            if place is not None and segment.first_offset != place:
                raise Damaged(f"{segment.file}: the segment from offset {place} on is missing")
            place = segment.next_offset
            for kept in read_segment(self._folder, segment):
                yield segment, kept
            self._done += 1
            self._report(segment.file, self._done, len(self._manifest.segments))


def _next_command(segment: Segment, kept: Kept) -> int:
    try:
        return position_of(kept.record).next_command_offset
    except MalformedRecord as error:
        raise _break(segment, kept, str(error)) from None


def _break(segment: Segment, kept: Kept, reason: str) -> Damaged:
    return Damaged(f"{segment.file}: offset {kept.offset}: {reason}")
