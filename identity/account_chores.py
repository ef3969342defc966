"""What is done for accounts beside the requests: mails, endings that were left, and forgetting."""

import asyncio
from time import monotonic

import asyncpg
import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from identity.account import EndSessions
from identity.database import transaction
from identity.mail import outbox
from identity.mail.postman import Postman
from identity.session_endings import carry_out_left
from runtime.problems import Problem

_log = structlog.get_logger(__name__)

_POLL_S = 0.5
_FORGET_EACH_S = 3600.0
_FORGET = (
    "DELETE FROM identity.one_time_tokens WHERE expires_at < now() - interval '1 day'",
    "DELETE FROM identity.attempts WHERE last_at < now() - interval '1 day'",
    "DELETE FROM identity.known_sources WHERE seen_at < now() - interval '180 days'",
)


class AccountChores:
    """A worker; several processes may each have one."""

    def __init__(self, engine: AsyncEngine, end_sessions: EndSessions, postman: Postman | None) -> None:
        self._engine = engine
        self._end_sessions = end_sessions
        self._postman = postman
        self._forget_at = 0.0

    async def run(self) -> None:
        """Work until cancelled; what fails for the moment is tried again."""
        while True:
            try:
                await self.turn()
            except (Problem, asyncpg.PostgresError) as error:
                _log.warning("accounts' chores wait", reason=repr(error))
            await asyncio.sleep(_POLL_S)

    async def turn(self) -> None:
        """Do what there is to do now; raise `Problem` 503, or what Postgres says."""
        await carry_out_left(self._engine, self._end_sessions)
        if self._postman is not None:
            while await self._postman.deliver_one():
                pass
        if monotonic() >= self._forget_at:
            await self.forget()
            self._forget_at = monotonic() + _FORGET_EACH_S

    async def forget(self) -> None:
        """Delete what is too old to be of use."""
        async with transaction(self._engine) as pg:
            for statement in _FORGET:
                await pg.execute(statement)
            await outbox.purge(pg)
