"""Looking up what became of a command, whose it was, and who else may know."""

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncEngine

from command_api.command_log import Sender
from command_api.offered import Collection
from events.json_text import parse
from events.organization import STREAM as ORGANIZATION_STREAM
from events.organization import Organization
from events.outcome import Outcome
from events.roles import OrganizationRole, Right, allows
from events.shapes import utc_text
from events.state_json import load_state
from events.stream import StreamState
from events.team import STREAM as TEAM_STREAM
from events.team import Team
from projectors.schema.live_rows import live_row

OUTCOME = """
SELECT o.log_id::text, o.command_hash, o.recorded_at, o.status, o.answer,
       coalesce((SELECT a.actor FROM audit AS a
                  WHERE a.team_id = o.team_id AND a.sequence = (o.answer::jsonb ->> 'sequence')::bigint),
                (SELECT r.actor FROM refusals AS r
                  WHERE r.partition = o.partition AND r.command_offset = o.command_offset)) AS actor
  FROM outcomes AS o WHERE o.team_id = $1::uuid AND o.command_id = $2::uuid
"""
"""Whose it was is told by the event that it became, or by its refusal."""
_PROJECTIONS = ("library", "outcomes")
_STATE = "SELECT state FROM heads WHERE team_id = $1::uuid AND stream = $2"
_STREAMS = {Collection.TEAMS: TEAM_STREAM, Collection.ORGANIZATIONS: ORGANIZATION_STREAM}


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """The first outcome of a command, and whose command it was, as far as that is known."""

    outcome: Outcome
    actor: str | None


async def find_outcome(engine: AsyncEngine, team_id: str, command_id: str) -> Found | None:
    """The first outcome of a command, once it is projected."""
    row = await live_row(engine, _PROJECTIONS, OUTCOME, team_id, command_id)
    if row is None:
        return None
    answer = {k: v for k, v in parse(row["answer"].encode()).items() if k not in ("command_id", "status")}
    outcome = Outcome(
        log_id=row["log_id"],
        team_id=team_id,
        command_id=command_id,
        command_hash=row["command_hash"],
        recorded_at=utc_text(row["recorded_at"]),
        status=row["status"],
        answer=answer,
    )
    return Found(outcome=outcome, actor=row["actor"])


async def may_read(engine: AsyncEngine, asker: Sender) -> bool:
    """Whether somebody may know what others did in a team, or in an organization."""
    row = await live_row(engine, _PROJECTIONS, _STATE, asker.team_id, _STREAMS[asker.collection])
    return row is not None and _may_read(load_state(row["state"]), asker)


def _may_read(state: StreamState, asker: Sender) -> bool:
    if isinstance(state, Organization):
        return state.people.members.get(asker.actor) is OrganizationRole.ADMIN
    return isinstance(state, Team) and allows(state.role_of(asker.actor), Right.READ, asker.at_most)
