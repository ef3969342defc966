"""Rows that are kept for a time only, by when their command was recorded."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncEngine

from projectors.transaction import transaction

_PURGE = """
DELETE FROM {table} WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM {table} WHERE recorded_at < $1 ORDER BY recorded_at LIMIT $2))
"""


async def purge_rows(engine: AsyncEngine, table: str, before: datetime, *, batch: int = 10_000) -> int:
    """Delete a table's rows of commands recorded before a time, in small transactions; return how many."""
    purged = 0
    while True:
        async with transaction(engine) as pg:
            done = await pg.execute(_PURGE.format(table=table), before, batch)
        deleted = int(done.rpartition(" ")[2])
        purged += deleted
        if deleted < batch:
            return purged
