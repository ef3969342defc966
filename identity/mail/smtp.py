"""Mails over SMTP."""

import aiosmtplib
import stamina

from identity.mail.port import Mail, MailDelayed, MailRefused, message_of
from runtime.identity_settings import MailSecurity
from runtime.settings import Settings

TRIES = 3
"""Within one turn; the outbox has further turns."""
_FOR_GOOD = 500


class SmtpSender:
    """Hands mails to a server, each over a connection of its own."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def send(self, mail: Mail) -> None:
        # A server that is being restarted is back in a moment.
        async for attempt in stamina.retry_context(
            on=MailDelayed, attempts=TRIES, wait_initial=0.2, wait_max=2.0, timeout=None
        ):
            with attempt:
                await self._send(mail)

    async def _send(self, mail: Mail) -> None:
        settings = self._settings
        message = message_of(mail, settings.mail_from)
        try:
            await aiosmtplib.send(
                message,
                hostname=settings.mail_host,
                port=settings.mail_port,
                username=settings.mail_user or None,
                password=settings.mail_password.get_secret_value() if settings.mail_user else None,
                timeout=settings.mail_timeout_s,
                use_tls=settings.mail_security is MailSecurity.TLS,
                start_tls=settings.mail_security is MailSecurity.STARTTLS,
            )
        except aiosmtplib.SMTPRecipientsRefused as error:
            raise _about(error.recipients[0].code) from error
        except aiosmtplib.SMTPNotSupported as error:
            raise MailRefused("the server does not take such an address") from error
        except aiosmtplib.SMTPResponseException as error:
            # Its words may quote the address; what is wrong with the server or with us may be put right.
            raise MailDelayed(f"the server answered {error.code}") from error
        except (aiosmtplib.SMTPException, OSError) as error:
            raise MailDelayed(type(error).__name__) from error


def _about(code: int) -> MailRefused | MailDelayed:
    """What a server says of an address: 4xx passes, 5xx does not (RFC 5321, section 4.2.1)."""
    if code >= _FOR_GOOD:
        return MailRefused(f"the server answered {code}")
    return MailDelayed(f"the server answered {code}")
