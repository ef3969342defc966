"""What the audit adds to the projection: the same events with it and without it, turn by turn."""

import asyncio
import random
import time
import uuid
from collections.abc import Callable, Sequence
from statistics import median
from unittest.mock import patch

from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncEngine

from benchmarks.commands import FILLING
from benchmarks.running import stack
from benchmarks.statistics import Report
from events.envelope import FIRST_PREVIOUS_HASH, Envelope, encode, record_hash
from events.pattern import PatternEdited, PatternRecorded, stream_of
from events.readers_rule import NO_ONE, Standing, fence, stamps
from events.record import NewRecord, Record
from events.registry import Event, type_of, write
from migrations.run import upgrade
from projectors import library
from projectors.audit import Audit
from projectors.checkpoints import Checkpoint, create
from projectors.library import Library
from projectors.loop import PartitionLoop
from projectors.read_model import ReadModel
from projectors.schema.tables import metadata
from projectors.transaction import SESSION, transaction
from runtime.postgres import create_engine
from runtime.settings import Settings

EVENTS = 8_000
TURNS = 12
LOG_ID = str(uuid.UUID(int=0))
_TIME = "2026-03-01T12:00:00.000Z"
_STANDING = Standing(term=1, writer="bench", fence_offset=0)
_BATCH = 2_000


def audit(report: Report) -> None:
    """Projection in this process, from records at hand into all read models."""
    records = _records(EVENTS)
    with stack() as running:
        settings = Settings(postgres_dsn=SecretStr(running.postgres_dsn))
        without, with_it = asyncio.run(_turns(settings, records))
    rate = report.add("projection", "without the audit", without, "events/s")
    report.add_beside("projection", "with the audit", with_it, "events/s", "without it", rate)
    report.add("projection", "time that the audit adds", [100 * (rate / median(with_it) - 1)], "%")


async def _turns(settings: Settings, records: Sequence[Record]) -> tuple[list[float], list[float]]:
    """Events per second without and with it; the first turn does not count."""
    await upgrade(settings)
    engine = create_engine(settings, "bench", **SESSION)
    rates: tuple[list[float], list[float]] = ([], [])
    try:
        models = (_without_audit, library.read_models)
        for turn in range(TURNS + 1):
            # Whoever comes second finds what the first one left to be written.
            for which in (0, 1) if turn % 2 else (1, 0):
                rates[which].append(await _rate(engine, records, models[which]))
    finally:
        await engine.dispose()
    return rates[0][1:], rates[1][1:]


def _without_audit(make: Callable[[], tuple[ReadModel, ...]] = library.read_models) -> tuple[ReadModel, ...]:
    return tuple(model for model in make() if not isinstance(model, Audit))


async def _rate(
    engine: AsyncEngine, records: Sequence[Record], models: Callable[[], tuple[ReadModel, ...]]
) -> float:
    beginning = Checkpoint(next_offset=0, standing=NO_ONE, log_id=LOG_ID, void_records=0)
    async with transaction(engine) as pg:
        await pg.execute(f"TRUNCATE {', '.join(metadata.tables)}")
        await create(pg, library.NAME, 0, beginning)
    loop = PartitionLoop(engine, Library(topic="bench"), 0, beginning, lambda _: None)
    with patch.object(library, "read_models", models):
        began = time.perf_counter()
        for start in range(0, len(records), _BATCH):
            await loop.feed(records[start : start + _BATCH])
        return (len(records) - 1) / (time.perf_counter() - began)


def _records(count: int) -> list[Record]:
    """A fence, and events of one team: patterns are recorded, and each is edited once by and by."""
    team, chance, previous = str(uuid.UUID(int=1)), random.Random(1), FIRST_PREVIOUS_HASH
    records = [_placed(fence(term=1, writer="bench", log_id=LOG_ID), 0)]
    unedited: list[str] = []
    for sequence in range(1, count + 1):
        event: Event
        if sequence % 2 == 0:
            pattern_id, version = unedited.pop(chance.randrange(len(unedited))), 2
            event = _edit(sequence)
        else:
            pattern_id, version = str(uuid.UUID(int=sequence)), 1
            event = PatternRecorded(fields={"name": pattern_id, **FILLING})
            unedited.append(pattern_id)
        envelope = _envelope(team, stream_of(pattern_id), sequence, version, event, previous)
        record = encode(envelope)
        previous = record_hash(record)
        records.append(_placed(record.with_headers(stamps(_STANDING)), sequence))
    return records


def _edit(number: int) -> PatternEdited:
    fields = {"description": "e" * 250 + str(number), "severity": "high"}
    return PatternEdited(base_version=1, own={}, set=fields, remove=[], merged={}, overwrote=[])


def _envelope(team: str, stream: str, sequence: int, version: int, event: Event, previous: str) -> Envelope:
    return Envelope(
        log_id=LOG_ID,
        team_id=team,
        stream=stream,
        sequence=sequence,
        version=version,
        type=type_of(event),
        command_id=str(uuid.UUID(int=sequence)),
        command_hash="c" * 64,
        command_index=0,
        command_count=1,
        actor=f"u-{sequence % 50}",
        request_id="r" * 32,
        occurred_at=_TIME,
        recorded_at=_TIME,
        previous_hash=previous,
        data=write(event),
    )


def _placed(record: NewRecord, offset: int) -> Record:
    key, value, headers = record.key, record.value, record.headers
    return Record(partition=0, offset=offset, timestamp_ms=0, key=key, value=value, headers=headers)
