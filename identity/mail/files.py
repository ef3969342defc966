"""Mails as files, for development: one .eml each."""

import asyncio
import os
from pathlib import Path

from identity.mail.port import Mail, MailDelayed, message_of


class FileSender:
    """Writes mails to a folder; whoever looks sees each of them whole or not at all."""

    def __init__(self, folder: Path, sender: str) -> None:
        self._folder = folder
        self._sender = sender

    async def send(self, mail: Mail) -> None:
        try:
            await asyncio.to_thread(self._write, mail)
        except OSError as error:
            raise MailDelayed(type(error).__name__) from error

    def _write(self, mail: Mail) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        beside = self._folder / f".{mail.name}.{os.getpid()}"
        # It has a token in it.
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(bytes(message_of(mail, self._sender)))
            file.flush()
            os.fsync(descriptor)
        beside.replace(self._folder / f"{mail.name}.eml")
