"""The projection `outcomes`: first answers, refusals, and how far each decider has come."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from asyncpg import Connection
from sqlalchemy.ext.asyncio import AsyncEngine

from events.errors import MalformedRecord
from events.identifiers import is_uuid
from events.outcome import Outcome, Position, decode, is_mark, position_of
from events.record import COMMAND_OFFSET, LOG_ID, Record, integer_of, text_of
from events.shapes import is_time
from projectors.errors import Broken
from projectors.purging import purge_rows
from projectors.refusals import refusal_of, write_refusals
from projectors.rows import Row, arrays

NAME = "outcomes"
KEPT = timedelta(days=37)
"""As long as [outcomes] itself, by the command's append time, so that a rebuild gives the same rows."""

_INSERT = """
INSERT INTO outcomes
       (partition, team_id, command_id, command_offset, command_hash, log_id, recorded_at, status, answer)
SELECT $1, * FROM unnest($2::uuid[], $3::uuid[], $4::bigint[], $5::text[], $6::uuid[], $7::timestamptz[],
                         $8::text[], $9::text[])
ON CONFLICT (team_id, command_id) DO NOTHING
"""

_POSITION = """
INSERT INTO decider_positions (partition, next_command_offset, events_end)
VALUES ($1, $2, $3)
ON CONFLICT (partition) DO UPDATE
   SET next_command_offset = excluded.next_command_offset, events_end = excluded.events_end
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class OutcomesWork:
    """The answers in one batch of a partition, the refusals among them, and the newest position in it."""

    partition: int
    answers: list[Row]
    refusals: list[Row]
    newest: Position | None
    held_back: None = None

    async def write(self, pg: Connection) -> None:
        if self.answers:
            await pg.execute(_INSERT, self.partition, *arrays(self.answers))
        await write_refusals(pg, self.partition, self.refusals)
        if self.newest is not None:
            at = self.newest
            await pg.execute(_POSITION, self.partition, at.next_command_offset, at.events_end)


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcomes:
    """The projection of [outcomes]."""

    topic: str
    name: str = NAME
    may_be_trimmed: bool = True
    is_fenced: bool = True

    def take(self, partition: int, log_id: str, counting: Sequence[Record]) -> OutcomesWork:
        first: dict[tuple[str, str], Row] = {}
        refusals: list[Row] = []
        newest: Position | None = None
        for record in counting:
            try:
                newest = position_in(record, log_id)
                outcome = None if is_mark(record) else decode(record)
                answer = None if outcome is None else _answer(record, outcome)
                refusal = None if outcome is None else refusal_of(record, outcome)
            except (MalformedRecord, ValueError) as error:
                raise Broken(record.offset, f"the outcome cannot be read: {error}") from error
            if answer is not None:
                first.setdefault((answer[0], answer[1]), answer)
            if refusal is not None:
                refusals.append(refusal)
        return OutcomesWork(
            partition=partition, answers=list(first.values()), refusals=refusals, newest=newest
        )


async def purge(engine: AsyncEngine, now: datetime, *, batch: int = 10_000) -> int:
    """Delete outcomes and refusals that are older than their topic keeps them; return how many."""
    tables = ("outcomes", "refusals")
    return sum([await purge_rows(engine, table, now - KEPT, batch=batch) for table in tables])


def position_in(record: Record, log_id: str) -> Position:
    """The position after a record that counts; raise `MalformedRecord` for one that is not of this log."""
    if text_of(record.headers, LOG_ID) != log_id:
        raise MalformedRecord("it belongs to another log")
    return position_of(record)


def _answer(record: Record, outcome: Outcome) -> Row | None:
    """The row of an outcome; None for one that is not the first or answers no command."""
    if outcome.repeat or outcome.command_id is None:
        return None
    if not (is_uuid(outcome.team_id) and is_uuid(outcome.command_id)):
        raise MalformedRecord("the ids are no UUIDs")
    if not is_time(outcome.recorded_at):
        raise MalformedRecord("recorded_at is no time")
    recorded_at = datetime.fromisoformat(outcome.recorded_at)
    return (
        *(outcome.team_id, outcome.command_id, integer_of(record.headers, COMMAND_OFFSET)),
        *(outcome.command_hash, outcome.log_id, recorded_at, outcome.status, (record.value or b"").decode()),
    )
