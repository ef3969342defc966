"""Rows of people as a projection writes them, from the state of a team or an organization."""

from datetime import datetime

import asyncpg

from events.organization import Organization
from events.team import Team
from projectors.people import OF_BOTH, OF_ORGANIZATIONS, OF_TEAMS


async def write_people(
    pg: asyncpg.Connection, log: str, state: Team | Organization, sequence: int, at: datetime
) -> None:
    """Let the tables say what a state says; every row is as of the last event."""
    for table in (*(OF_TEAMS if isinstance(state, Team) else OF_ORGANIZATIONS), *OF_BOTH):
        await pg.execute(f"DELETE FROM {table.table.name} WHERE {table.columns[0]} = $1", log)
        rows = [(log, *key, *values, sequence, at) for key, values in table.rows(state).items()]
        await pg.copy_records_to_table(table.table.name, records=rows, columns=table.columns)
