"""Lists whose rows are looked at in Python: a scan goes over rows chunk by chunk and keeps what is wanted.

Each chunk is one statement, so that nothing is held in Postgres while a client reads.
"""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from typing import Literal

from read_api.pages import PAGE_BYTES
from read_api.positions import Position
from read_api.reader import Reader

Order = Literal["asc", "desc"]
Place = tuple[int, ...]
Shown = tuple[Place, bytes]
"""Where a row stands, and what is told of it."""

CHUNK = 1000
"""Rows of one statement."""
MOST_CHUNKS = 10
"""Chunks that one page goes over at the most, so that it takes its time whatever is looked for."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Scan:
    """Rows of a team strictly between two places, in an order; `show` tells of one, None: not wanted.

    The statement is one of `page_statement`; from $3 on it takes both places, then `arguments`.
    """

    team_id: str
    statement: str
    order: Order
    low: Place
    high: Place
    show: Callable[[bytes], Shown | None]
    arguments: tuple[object, ...] = ()
    convert: Callable[[Place], tuple[object, ...]] = tuple
    """A place as the statement takes it."""

    def after(self, place: Place) -> "Scan":
        """What is left of it after a place."""
        return replace(self, low=place) if self.order == "asc" else replace(self, high=place)

    async def chunks(self, reader: Reader, first: int | None = None) -> AsyncIterator["Chunk"]:
        """All of it, one chunk at the least, the first of so many rows; raise `Problem`."""
        left, size = self, first or CHUNK
        while True:
            places = (*self.convert(left.low), *self.convert(left.high))
            page = await reader.page(self.statement, self.team_id, size, *places, *self.arguments)
            found = [one for part in page.parts if (one := self.show(part)) is not None]
            yield Chunk(position=page.position, found=found, next_place=page.next_place)
            if page.next_place is None:
                return
            left, size = left.after(page.next_place), CHUNK


@dataclass(frozen=True, kw_only=True, slots=True)
class Chunk:
    """What is wanted of some rows; what is left begins after `next_place`, if there is any."""

    position: Position
    found: list[Shown]
    next_place: Place | None

    @property
    def items(self) -> bytes:
        """What is told, as JSON text with commas between."""
        return b",".join(told for _, told in self.found)


async def read_page(reader: Reader, scan: Scan, limit: int) -> Chunk:
    """A page of a scan. It can end before it is full, and have a next one all the same."""
    taken: list[Shown] = []
    size = count = 0
    async for chunk in scan.chunks(reader, limit):
        count += 1
        for number, one in enumerate(chunk.found, start=1):
            taken.append(one)
            size += len(one[1])
            if len(taken) == limit or size >= PAGE_BYTES:
                has_more = number < len(chunk.found) or chunk.next_place is not None
                return replace(chunk, found=taken, next_place=one[0] if has_more else None)
        if chunk.next_place is None or count == MOST_CHUNKS:
            return replace(chunk, found=taken)
    raise AssertionError("a scan has a last chunk")
