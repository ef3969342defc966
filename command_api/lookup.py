"""Looking up what became of a command."""

from typing import Any

from sqlalchemy import Row, Select, select, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.ext.asyncio import AsyncEngine

from events.json_text import parse
from events.outcome import Outcome
from events.shapes import utc_text
from projectors.schema.generations import LIVE
from projectors.schema.outcomes import outcomes


async def find_outcome(engine: AsyncEngine, team_id: str, command_id: str) -> Outcome | None:
    """The first outcome of a command, once it is projected."""
    statement = select(
        outcomes.c.log_id,
        outcomes.c.command_hash,
        outcomes.c.recorded_at,
        outcomes.c.status,
        outcomes.c.answer,
    ).where(outcomes.c.team_id == team_id, outcomes.c.command_id == command_id)
    try:
        row = await _find(engine, statement)
    except ProgrammingError:
        # The generation that was live a moment ago is dropped.
        row = await _find(engine, statement)
    if row is None:
        return None
    answer = {k: v for k, v in parse(row.answer.encode()).items() if k not in ("command_id", "status")}
    return Outcome(
        log_id=row.log_id,
        team_id=team_id,
        command_id=command_id,
        command_hash=row.command_hash,
        recorded_at=utc_text(row.recorded_at),
        status=row.status,
        answer=answer,
    )


async def _find(engine: AsyncEngine, statement: Select[Any]) -> Row[Any] | None:
    async with engine.connect() as connection:
        live = {row[0]: row[1] for row in await connection.execute(text(LIVE))}
        await connection.execution_options(schema_translate_map={None: live["outcomes"]})
        found: Row[Any] | None = (await connection.execute(statement)).one_or_none()
        return found
