"""Accounts as a part of a process: what their routes need, for as long as it lives."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine

from identity.account import EndSessions
from identity.account_chores import AccountChores
from identity.accounts import Accounts
from identity.mail.postman import Postman
from identity.mail.senders import create_mail_sender
from identity.password_changes import PasswordChanges
from identity.passwords import open_password_pool
from runtime.health import Health
from runtime.service import spawn
from runtime.settings import Settings


@asynccontextmanager
async def open_accounts(
    app: FastAPI, settings: Settings, health: Health, engine: AsyncEngine, end_sessions: EndSessions
) -> AsyncIterator[Accounts]:
    """Accounts on `engine`; `app.state` gets `accounts` and `password_changes`. Raise `Misconfigured`."""
    postman = _postman(settings, health, engine)
    async with open_password_pool(settings) as passwords:
        accounts = Accounts(engine, passwords, end_sessions)
        app.state.accounts = accounts
        app.state.password_changes = PasswordChanges(engine, passwords, end_sessions)
        chores = spawn(app, AccountChores(engine, end_sessions, postman).run(), "accounts' chores")
        try:
            yield accounts
        finally:
            chores.cancel()
            await asyncio.gather(chores, return_exceptions=True)


def _postman(settings: Settings, health: Health, engine: AsyncEngine) -> Postman | None:
    sender = create_mail_sender(settings)
    if sender is None:
        health.remark("mail", "neither a mail server nor a folder is set: mails wait")
        return None
    return Postman(engine, sender, settings, health)
