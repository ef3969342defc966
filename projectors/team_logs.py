"""Per team's log: how far it was applied, how many events that were, and the hash that comes next."""

from collections.abc import Iterable, Mapping

from asyncpg import Connection

from projectors.chain import TeamLog
from projectors.errors import Disagreement
from projectors.rows import arrays

_LOAD = """
SELECT team_id::text, partition, last_sequence, event_count, last_hash
  FROM projected_logs WHERE projection = $1 AND team_id = ANY ($2::uuid[])
"""

_SAVE = """
INSERT INTO projected_logs AS p
       (projection, partition, log_id, team_id, last_sequence, event_count, last_hash)
SELECT $1, $2, $3, * FROM unnest($4::uuid[], $5::bigint[], $6::bigint[], $7::text[])
ON CONFLICT (projection, team_id) DO UPDATE
   SET last_sequence = excluded.last_sequence, event_count = excluded.event_count,
       last_hash = excluded.last_hash
"""


async def load_logs(
    pg: Connection, projection: str, partition: int, teams: Iterable[str]
) -> dict[str, TeamLog]:
    """The logs of those teams that have events; raise `Disagreement` if one lives in another partition."""
    logs = {}
    for team_id, there, sequence, count, link in await pg.fetch(_LOAD, projection, list(teams)):
        if there != partition:
            raise Disagreement(f"team {team_id} lives in partition {there}, not in {partition}")
        logs[team_id] = TeamLog(last_sequence=sequence, event_count=count, last_hash=link)
    return logs


async def save_logs(
    pg: Connection, projection: str, partition: int, log_id: str, logs: Mapping[str, TeamLog]
) -> None:
    """Write how far the teams' logs were applied."""
    rows = [(team, log.last_sequence, log.event_count, log.last_hash) for team, log in logs.items()]
    await pg.execute(_SAVE, projection, partition, log_id, *arrays(rows))
