"""Refusals: commands that were refused, who sent them and why; what the audit shows beside events."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from asyncpg import Connection

from events.errors import MalformedRecord
from events.identifiers import is_uuid
from events.outcome import Outcome, RefusedCommand
from events.record import COMMAND_OFFSET, Record, integer_of
from events.shapes import is_time
from projectors.json_rows import json_text
from projectors.rows import Row, arrays

_REUSED = "command_id_reused"
"""The one refusal that is never the first answer under its command id."""

_INSERT = """
INSERT INTO refusals (partition, command_offset, team_id, recorded_at, code, actor, item)
SELECT $1, * FROM unnest($2::bigint[], $3::uuid[], $4::timestamptz[], $5::text[], $6::text[], $7::text[])
ON CONFLICT (partition, command_offset) DO NOTHING
"""


async def write_refusals(pg: Connection, partition: int, rows: Sequence[Row]) -> None:
    """Add the refusals of a batch."""
    if rows:
        await pg.execute(_INSERT, partition, *arrays(rows))


def refusal_of(record: Record, outcome: Outcome) -> Row | None:
    """The row of a refusal; None for another outcome, one told again, and one of no team that could ask."""
    code = outcome.answer.get("code")
    is_told_again = outcome.repeat and code != _REUSED
    if outcome.status != "rejected" or is_told_again or not is_uuid(outcome.team_id):
        return None
    if not is_time(outcome.recorded_at):
        raise MalformedRecord("recorded_at is no time")
    by = outcome.refused or RefusedCommand()
    return (
        *(integer_of(record.headers, COMMAND_OFFSET), outcome.team_id),
        *(datetime.fromisoformat(outcome.recorded_at), str(code), by.actor or None, _item(outcome, by)),
    )


def _item(outcome: Outcome, by: RefusedCommand) -> str:
    """A refusal as auditors get it, but for where it came from."""
    told = {name: text or None for name, text in asdict(by).items()}
    return json_text(
        {
            "command_id": outcome.command_id,
            "code": outcome.answer.get("code"),
            "detail": outcome.answer.get("detail"),
            **told,
            "recorded_at": outcome.recorded_at,
        }
    )
