"""The projection `origins`: from where each command came, for a time of its own; nothing else has it.

[commands] has no fences: who may append there is the broker's to say, and nothing here says what counts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from asyncpg import Connection
from sqlalchemy.ext.asyncio import AsyncEngine

from events.record import Record
from projectors.purging import purge_rows
from projectors.rows import Row, add

NAME = "origins"
ORIGINS = ("partition", "command_offset", "recorded_at", "address", "user_agent", "credential")
_TOLD = frozenset(ORIGINS[-3:])
_MOST = 256


@dataclass(frozen=True, kw_only=True, slots=True)
class OriginsWork:
    """From where the commands of one batch of a partition came."""

    rows: list[Row]
    held_back: None = None

    async def write(self, pg: Connection) -> None:
        await add(pg, "origins", ORIGINS, self.rows)


@dataclass(frozen=True, kw_only=True, slots=True)
class Origins:
    """The projection of [commands]."""

    topic: str
    name: str = NAME
    may_be_trimmed: bool = True
    is_fenced: bool = False

    def take(self, partition: int, log_id: str, counting: Sequence[Record]) -> OriginsWork:  # noqa: ARG002
        rows = [_row(partition, record) for record in counting if _tells(record)]
        return OriginsWork(rows=rows)


async def purge(engine: AsyncEngine, now: datetime, kept: timedelta, *, batch: int = 10_000) -> int:
    """Delete origins that are older than they may be kept; return how many."""
    return await purge_rows(engine, "origins", now - kept, batch=batch)


def _tells(record: Record) -> bool:
    return not _TOLD.isdisjoint(record.headers)


def _row(partition: int, record: Record) -> Row:
    recorded_at = datetime.fromtimestamp(record.timestamp_ms / 1000, UTC)
    told = (_text(record.headers.get(name)) for name in ORIGINS[-3:])
    return (partition, record.offset, recorded_at, *told)


def _text(header: bytes | None) -> str | None:
    """A header as it can be stored, whoever wrote it."""
    text = (header or b"").decode("utf-8", "replace").replace("\x00", "")
    return text[:_MOST] or None
