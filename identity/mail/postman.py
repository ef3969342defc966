"""The worker that empties the outbox: each mail at least once, however often it dies."""

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from identity.database import transaction
from identity.mail import outbox
from identity.mail.outbox import Waiting
from identity.mail.port import Mail, MailDelayed, MailRefused, MailSender
from identity.mail.writing import write
from runtime.health import Health
from runtime.settings import Settings

_log = structlog.get_logger(__name__)

GIVEN_UP_AFTER_S = 3 * 86_400
_FIRST_WAIT_S = 5.0
_LONGEST_WAIT_S = 3600.0
_TURN_S = 60.0
"""What a turn takes besides waiting for the server."""
_WAITS_PER_TURN = 12
"""Tries of one turn, times what each may wait for: connection, greeting, log-in, the mail."""


class Postman:
    """Takes mails out one at a time; several processes may each have one."""

    def __init__(self, engine: AsyncEngine, sender: MailSender, settings: Settings, health: Health) -> None:
        self._health = health
        self._engine = engine
        self._sender = sender
        self._settings = settings
        self._lease_s = _TURN_S + _WAITS_PER_TURN * settings.mail_timeout_s

    async def deliver_one(self) -> bool:
        """Send what has waited longest; whether there was anything. Raise `Problem` 503."""
        async with transaction(self._engine) as pg:
            waiting = await outbox.take(pg, self._lease_s)
        if waiting is None:
            return False
        # The token has to be known before anybody can read it.
        async with transaction(self._engine) as pg:
            mail = await write(pg, waiting, self._settings)
            if mail is None:
                await outbox.done(pg, waiting, "not_sent")
        if mail is not None:
            await self._send(waiting, mail)
        return True

    async def _send(self, waiting: Waiting, mail: Mail) -> None:
        try:
            await self._sender.send(mail)
        except MailRefused as error:
            await self._end(waiting, f"refused: {error}")
        except MailDelayed as error:
            await self._delay(waiting, str(error))
        else:
            self._health.remark("mail", None)
            await self._end(waiting, "sent")

    async def _delay(self, waiting: Waiting, reason: str) -> None:
        self._health.remark("mail", f"mails wait: {reason}")
        if waiting.age_s > GIVEN_UP_AFTER_S:
            await self._end(waiting, f"given up: {reason}")
            return
        _log.warning("mail delayed", mail_id=waiting.mail_id, tries=waiting.tries, reason=reason)
        wait_s = min(_LONGEST_WAIT_S, _FIRST_WAIT_S * 2.0 ** min(waiting.tries - 1, 20))
        async with transaction(self._engine) as pg:
            await outbox.later(pg, waiting, wait_s, reason)

    async def _end(self, waiting: Waiting, result: str) -> None:
        log = _log.info if result == "sent" else _log.warning
        log("mail done", mail_id=waiting.mail_id, kind=waiting.kind.value, result=result)
        async with transaction(self._engine) as pg:
            await outbox.done(pg, waiting, result)
