"""Looking up what became of a command."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from events.json_text import parse
from events.outcome import Outcome
from events.shapes import utc_text
from projectors.schema import outcomes


async def find_outcome(engine: AsyncEngine, team_id: str, command_id: str) -> Outcome | None:
    """The first outcome of a command, once it is projected."""
    statement = select(
        outcomes.c.log_id,
        outcomes.c.command_hash,
        outcomes.c.recorded_at,
        outcomes.c.status,
        outcomes.c.answer,
    ).where(outcomes.c.team_id == team_id, outcomes.c.command_id == command_id)
    async with engine.connect() as connection:
        row = (await connection.execute(statement)).one_or_none()
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
