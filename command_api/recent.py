"""The newest outcomes, kept for those who ask a little late."""

from collections import OrderedDict

from events.record import Record

CommandPlace = tuple[int, int]
"""Partition and offset of a command's record."""

_MOST_BYTES = 32 * 1024 * 1024
_RECORD_BYTES = 2 * 1024
"""What a record takes beside its value, overstated."""


class RecentOutcomes:
    """Outcomes by the place of their command, up to so many bytes: one can be large."""

    def __init__(self, most_bytes: int = _MOST_BYTES) -> None:
        self._left = most_bytes
        self._records: OrderedDict[CommandPlace, Record] = OrderedDict()

    def get(self, place: CommandPlace) -> Record | None:
        """The outcome's record, if it is still kept."""
        return self._records.get(place)

    def add(self, place: CommandPlace, record: Record) -> None:
        """Keep one more, and let go of the oldest; a place has one outcome."""
        if place in self._records:
            return
        self._records[place] = record
        self._left -= _size(record)
        while self._left < 0:
            _, oldest = self._records.popitem(last=False)
            self._left += _size(oldest)


def _size(record: Record) -> int:
    return _RECORD_BYTES + len(record.value or b"")
