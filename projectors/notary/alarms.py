"""Logs that are signed no more, until an operator has looked at the evidence and cleared the alarm."""

from asyncpg import Connection

_RAISE = """
INSERT INTO tree_alarms (team_id, log_id, reason, evidence) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING
"""
_ALL = "SELECT team_id::text, log_id::text, reason, evidence FROM tree_alarms ORDER BY raised_at"
_CLEAR = "DELETE FROM tree_alarms WHERE team_id::text = $1 RETURNING true"


async def raise_alarm(pg: Connection, team_id: str, log_id: str, reason: str, evidence: str) -> None:
    """Keep the evidence and sign that log no more; the first alarm of a log stands."""
    await pg.execute(_RAISE, team_id, log_id, reason, evidence)


async def alarms(pg: Connection) -> list[tuple[str, str, str, str]]:
    """Team, log, reason and evidence of each alarm."""
    return [tuple(row) for row in await pg.fetch(_ALL)]


async def clear(pg: Connection, team_id: str) -> bool:
    """Sign a team's log again; whether there was an alarm."""
    return bool(await pg.fetch(_CLEAR, team_id))
