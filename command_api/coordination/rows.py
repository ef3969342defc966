"""What the coordinator reads and writes in Postgres; its path has the live tables of both projections."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from asyncpg import Connection

from command_api.coordination.telling import Source, TeamKnowledge
from events.errors import MalformedRecord
from events.json_text import parse
from events.organization import Organization
from events.state_json import load_state

CHANNEL = "organizations"
"""On which projectors say that an organization, or what a team knows of one, has changed."""

# By an index of organizations alone, in the order of the other table's key.
DUE = """
SELECT h.team_id::text
  FROM heads AS h LEFT JOIN public.coordinated AS c ON c.organization_id = h.team_id AND c.log_id = $1::uuid
 WHERE h.stream = 'organization' AND (c.version IS NULL OR c.version < h.version)
"""
# An organization's log has no other stream: versions and sequences are the same.
_SOURCE = """
SELECT h.state, newest.recorded_at AS recorded_at, oldest.recorded_at AS since,
       newest.command_id::text || ' ' || encode(newest.previous_hash, 'hex') AS cause
  FROM heads AS h
  LEFT JOIN public.coordinated AS c ON c.organization_id = h.team_id AND c.log_id = $2::uuid
  JOIN audit AS newest ON newest.team_id = h.team_id AND newest.sequence = h.version
  JOIN audit AS oldest ON oldest.team_id = h.team_id AND oldest.sequence = coalesce(c.version, 0) + 1
 WHERE h.team_id = $1::uuid AND h.stream = 'organization'
"""
_TEAMS = """
SELECT team_id::text, told ->> 'organization_id', coalesce((told ->> 'version')::bigint, 0)
  FROM (SELECT team_id, state::jsonb -> 'organization' AS told
          FROM heads WHERE team_id = ANY($1::uuid[]) AND stream = 'team') AS teams
"""
_OUTCOMES = """
SELECT o.command_id::text, o.status, o.answer
  FROM unnest($1::uuid[], $2::uuid[]) AS k (team_id, command_id)
  JOIN outcomes AS o ON o.team_id = k.team_id AND o.command_id = k.command_id
"""
_DONE = """
INSERT INTO public.coordinated AS c (organization_id, log_id, version) VALUES ($1::uuid, $2::uuid, $3)
ON CONFLICT (organization_id) DO UPDATE SET log_id = excluded.log_id, version = excluded.version
 WHERE c.log_id <> excluded.log_id OR c.version < excluded.version
"""
_FORGET = "DELETE FROM public.coordination_refusals WHERE organization_id = $1::uuid"
_REFUSE = """
INSERT INTO public.coordination_refusals (organization_id, team_id, version, code)
SELECT $1::uuid, team_id, $2, code FROM unnest($3::uuid[], $4::text[]) AS k (team_id, code)
"""
REFUSED = "SELECT count(*) FROM public.coordination_refusals"


@dataclass(frozen=True, kw_only=True, slots=True)
class Due:
    """An organization whose teams do not all know its newest version, and since when (POSIX seconds)."""

    source: Source
    since_s: float


async def due(pg: Connection, log_id: str) -> list[str]:
    """The organizations that some team may not know as they are."""
    return [row[0] for row in await pg.fetch(DUE, log_id)]


async def source_of(pg: Connection, organization_id: str, log_id: str) -> Due | None:
    """An organization as it is now; None if it is none any more. Raise `MalformedRecord`."""
    row = await pg.fetchrow(_SOURCE, organization_id, log_id)
    if row is None:
        return None
    organization = load_state(row["state"])
    if not isinstance(organization, Organization):
        raise MalformedRecord("not an organization's state")
    source = Source(
        organization_id=organization_id,
        organization=organization,
        recorded_ms=int(_seconds(row["recorded_at"]) * 1000),
        cause=row["cause"],
    )
    return Due(source=source, since_s=_seconds(row["since"]))


async def knowledge_of(pg: Connection, team_ids: Sequence[str]) -> dict[str, TeamKnowledge]:
    """What those of the teams know that are there."""
    rows = await pg.fetch(_TEAMS, team_ids)
    return {row[0]: TeamKnowledge(organization_id=row[1], version=row[2]) for row in rows}


async def refusals_of(pg: Connection, commands: Sequence[tuple[str, str]]) -> dict[str, str | None]:
    """By command id the code of its refusal, None if it was not refused; of (team id, command id)."""
    team_ids, command_ids = [one[0] for one in commands], [one[1] for one in commands]
    rows = await pg.fetch(_OUTCOMES, team_ids, command_ids)
    return {
        command_id: parse(answer.encode())["code"] if status == "rejected" else None
        for command_id, status, answer in rows
    }


async def write_done(pg: Connection, source: Source, log_id: str, refused: Sequence[tuple[str, str]]) -> None:
    """Note that every team knows, but for those that refused to: (team id, code)."""
    async with pg.transaction():
        await pg.execute(_FORGET, source.organization_id)
        if refused:
            team_ids, codes = [one[0] for one in refused], [one[1] for one in refused]
            await pg.execute(_REFUSE, source.organization_id, source.organization.version, team_ids, codes)
        await pg.execute(_DONE, source.organization_id, log_id, source.organization.version)


def _seconds(recorded_at: str) -> float:
    return datetime.fromisoformat(recorded_at).timestamp()
