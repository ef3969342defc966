"""By which way mails leave, as the settings say."""

from pathlib import Path

from identity.mail.files import FileSender
from identity.mail.port import MailSender, check_sender
from identity.mail.smtp import SmtpSender
from runtime.identity_settings import MailSecurity
from runtime.settings import Settings
from runtime.startup_failures import Misconfigured


def create_mail_sender(settings: Settings) -> MailSender | None:
    """The way for mails, or None: they wait then. Raise `Misconfigured`."""
    try:
        check_sender(settings.mail_from)
    except ValueError as error:
        raise Misconfigured(f"PATTERNLOG_MAIL_FROM: {error}") from None
    if settings.mail_host:
        if settings.mail_user and settings.mail_security is MailSecurity.NONE:
            raise Misconfigured("PATTERNLOG_MAIL_SECURITY: a password would be sent for everyone to read")
        return SmtpSender(settings)
    if settings.mail_folder:
        return FileSender(Path(settings.mail_folder), settings.mail_from)
    return None
