"""Heads: the present states of streams as decisions see them, and where the team's log stood."""

from collections.abc import Mapping
from dataclasses import dataclass

from events.state_json import load_state
from events.stream import StreamState
from events.team import STREAM as TEAM_STREAM
from events.team import Team
from read_api.database import Database
from read_api.positions import LOG, Position, position_of
from read_api.problems import unknown_team

_STATEMENT = """
SELECT log.*, head.stream, head.state
  FROM ({log} AND team_id = $1) AS log
  LEFT JOIN heads AS head ON head.team_id = $1 AND head.stream = ANY ($2::text[])
"""
STATEMENT = _STATEMENT.format(log=LOG)


@dataclass(frozen=True, kw_only=True, slots=True)
class Heads:
    """A team and other streams of its log at one moment; a stream without events is not in `states`."""

    position: Position
    team: Team
    states: Mapping[str, StreamState]


async def read_heads(database: Database, team_id: str, *streams: str) -> Heads:
    """The team's head and those of some streams; raise `Problem` 404 `unknown_team`."""
    rows = await database.rows(STATEMENT, team_id, [TEAM_STREAM, *streams])
    states = {row["stream"]: load_state(row["state"]) for row in rows if row["stream"] is not None}
    team = states.get(TEAM_STREAM)
    if not isinstance(team, Team):
        raise unknown_team(team_id)
    return Heads(position=position_of(rows[0]), team=team, states=states)
