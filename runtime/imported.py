"""What the first fence of a log says that was imported: what it was before, and where the import ends.

It stands in a header of the first record of [events], partition 0, and so is there before anything else.
"""

from collections.abc import Mapping

from pydantic import TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from events.errors import MalformedRecord
from events.record import Headers

IMPORTED = "imported"


@dataclass(frozen=True, kw_only=True, slots=True)
class Imported:
    """An import, by a writer of its own, of the export whose manifest has this sum.

    `ends` are where the partitions of each topic end when all of it is written, by the topic's role; of a
    topic that is not named there nothing was imported.
    `ancestors` are the ids that the log had before, the latest first: its older events bear them.
    """

    writer: str
    export: str
    ancestors: tuple[str, ...]
    ends: dict[str, tuple[int, ...]]

    def is_within(self, ends: Mapping[str, tuple[int, ...]]) -> bool:
        """Whether all that is imported has been written, by where the topics end."""
        return all(
            there >= wanted
            for topic, all_wanted in self.ends.items()
            for there, wanted in zip(ends[topic], all_wanted, strict=True)
        )

    def header(self) -> bytes:
        """It as the fence's header has it."""
        return _IMPORTED.dump_json(self)


_IMPORTED = TypeAdapter(Imported)


def imported_of(headers: Headers) -> Imported | None:
    """What a log's first fence says; None for a log that was not imported. Raise `MalformedRecord`."""
    if (text := headers.get(IMPORTED)) is None:
        return None
    try:
        return _IMPORTED.validate_json(text)
    except ValidationError as error:
        raise MalformedRecord(f"header {IMPORTED}: {error}") from None
