"""Sessions that a new password ends: written down with it, so that a crash in between leaves none open."""

import asyncpg
import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from identity.account import EndSessions
from identity.database import transaction

_log = structlog.get_logger(__name__)

_PUT = "INSERT INTO identity.session_endings (user_id, but_session) VALUES ($1, $2) RETURNING ending_id"
# The one who wrote it down is about to do it.
_LEFT = """
SELECT ending_id, user_id, but_session FROM identity.session_endings
 WHERE created_at < now() - make_interval(secs => $1) ORDER BY ending_id LIMIT 100
"""
_DONE = "DELETE FROM identity.session_endings WHERE ending_id = $1"
GRACE_S = 5.0


async def write_down(pg: asyncpg.Connection, user_id: str, but: str | None) -> int:
    """Remember, in the transaction of the cause, that sessions have to end."""
    return int(await pg.fetchval(_PUT, user_id, but))


async def carry_out(
    engine: AsyncEngine, end_sessions: EndSessions, ending_id: int, user_id: str, but: str | None
) -> bool:
    """End them now; False if that fails for the moment, and is done later."""
    try:
        await end_sessions(user_id, but=but)
        async with transaction(engine) as pg:
            await pg.execute(_DONE, ending_id)
    except Exception as error:
        # Whatever it is, the password is changed, and what is left to do is written down.
        _log.warning("sessions not ended yet", ending_id=ending_id, reason=repr(error))
        return False
    return True


async def carry_out_left(
    engine: AsyncEngine, end_sessions: EndSessions, older_than_s: float = GRACE_S
) -> None:
    """End what others have left; raise `Problem` 503."""
    async with transaction(engine) as pg:
        left = await pg.fetch(_LEFT, older_than_s)
    for row in left:
        await carry_out(engine, end_sessions, row["ending_id"], str(row["user_id"]), row["but_session"])
