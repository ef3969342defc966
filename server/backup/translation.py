"""The records of an import: what an export holds, at the offsets that they get in an empty cluster.

    [commands]  0: filler   answered commands, or fillers where they are gone   commands without an outcome
    [events]    0: fence 1  events as written                                   fence 2
    [outcomes]  0: fence 1  outcomes                                            fence 2, mark
    [tree_heads]   as it was

Commands keep their distances. What refers to a command is moved by the same number, and to the filler at 0
where it is of a command before all that are kept. Events keep all that is hashed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

from events.outcome import EVENTS_END, Position, is_mark, mark
from events.readers_rule import Standing, fence, stamps
from events.record import COMMAND_OFFSET, KIND, LOG_ID, Headers, NewRecord
from runtime.imported import IMPORTED, Imported
from server.backup.checking import Checked, Contents
from server.backup.lines import Kept
from server.backup.segments import read_partition

FILLER = NewRecord(key=None, value=None, headers={KIND: b"filler"})
"""Takes the place of a command that was answered before the import."""
_FIRST_TERM, _LAST_TERM = 1, 2


@dataclass(frozen=True, kw_only=True, slots=True)
class _Place:
    """Where the records of a partition come to lie."""

    contents: Contents

    @property
    def kept_from(self) -> int:
        """The old offset of the first command that is kept."""
        contents = self.contents
        return contents.next_command or 0 if contents.answered_from is None else contents.answered_from

    def moved(self, command_offset: int) -> int:
        """A command's new offset; 0, that of the filler, where it is not kept."""
        return max(0, command_offset - self.kept_from + 1)

    @property
    def events_end(self) -> int:
        return self.contents.events + 2

    @property
    def position(self) -> Position:
        """The next command, and the first event that has no outcome."""
        owed = self.contents.owed
        return Position(
            next_command_offset=self.moved(self.contents.next_command or 0),
            events_end=self.events_end if owed is None else owed + 1,
        )


class Translation:
    """An export as the records of a log with an id, written by one writer."""

    def __init__(self, folder: Path, checked: Checked, log_id: str, writer: str) -> None:
        self._folder = folder
        self._manifest = checked.manifest
        self._places = [_Place(contents=contents) for contents in checked.contents]
        self._log_id = log_id
        self._writer = writer

    @property
    def imported(self) -> Imported:
        """What the first fence says of the import."""
        manifest = self._manifest
        is_another = self._log_id != manifest.log_id
        return Imported(
            writer=self._writer,
            export=manifest.sha256,
            ancestors=(manifest.log_id, *manifest.ancestors) if is_another else manifest.ancestors,
            ends={
                "commands": tuple(place.moved(place.contents.commands_end) for place in self._places),
                "events": tuple(place.events_end for place in self._places),
                "outcomes": tuple(place.contents.outcomes + 3 for place in self._places),
                "tree_heads": tuple(place.contents.tree_heads for place in self._places),
            },
        )

    def records(self, topic: str, partition: int) -> Iterator[NewRecord]:
        """All records of a partition, in order from offset 0."""
        place = self._places[partition]
        match topic:
            case "commands":
                return self._commands(place)
            case "events":
                return self._events(place)
            case "outcomes":
                return self._outcomes(place)
            case "tree_heads":
                return (one.record for one in self._kept("tree_heads", place))
            case _:
                raise ValueError(f"nothing says how {topic} is moved")

    def _commands(self, place: _Place) -> Iterator[NewRecord]:
        kept, first = self._kept("commands", place), place.contents.commands_from
        known_from = place.contents.commands_end if first is None else max(first, place.kept_from)
        fillers = 1 + known_from - place.kept_from
        known = (one.record for one in kept if one.offset >= known_from)
        return chain(islice(iter(lambda: FILLER, None), fillers), known)

    def _events(self, place: _Place) -> Iterator[NewRecord]:
        first = self._fence(_FIRST_TERM)
        if place.contents.partition == 0:
            first = first.with_headers({IMPORTED: self.imported.header()})
        yield first
        for one in self._kept("events", place):
            offset = place.moved(one.command_offset)
            yield one.record.with_headers({KIND: b"event", COMMAND_OFFSET: b"%d" % offset, **self._stamps()})
        yield self._fence(_LAST_TERM)

    def _outcomes(self, place: _Place) -> Iterator[NewRecord]:
        position = place.position
        common = {EVENTS_END: b"%d" % position.events_end, LOG_ID: self._log_id.encode(), **self._stamps()}
        yield self._fence(_FIRST_TERM)
        for one in self._kept("outcomes", place):
            if not is_mark(one.record):
                offset = place.moved(one.command_offset)
                yield one.record.with_headers({**common, COMMAND_OFFSET: b"%d" % offset})
        yield self._fence(_LAST_TERM)
        last = Standing(term=_LAST_TERM, writer=self._writer, fence_offset=place.contents.outcomes + 1)
        yield mark(position, log_id=self._log_id).with_headers(stamps(last))

    def _kept(self, topic: str, place: _Place) -> Iterator[Kept]:
        return read_partition(self._folder, self._manifest, topic, place.contents.partition)

    def _fence(self, term: int) -> NewRecord:
        return fence(term=term, writer=self._writer, log_id=self._log_id)

    def _stamps(self) -> Headers:
        return stamps(Standing(term=_FIRST_TERM, writer=self._writer, fence_offset=0))
