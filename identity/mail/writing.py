"""What a mail of the outbox says, and to whom, as of the moment in which it is sent."""

from typing import assert_never

import asyncpg

from identity.mail import outbox, texts
from identity.mail.outbox import Waiting
from identity.mail.port import Mail
from identity.mail.texts import MailKind, Words
from identity.one_time_tokens import Holder, Purpose, issue
from identity.user_rows import BY_EMAIL, BY_ID, User, find
from runtime.settings import Settings

MOST_PER_HOUR = 5
"""Mails that anybody can have sent to an address, whoever asks for them."""
_ASKED_FOR = [MailKind.REGISTERED, MailKind.VERIFY_EMAIL, MailKind.FORGOTTEN]


async def write(pg: asyncpg.Connection, waiting: Waiting, settings: Settings) -> Mail | None:
    """The mail, or None if there is nothing to say; of a token in it the hash is stored."""
    user = await _user(pg, waiting)
    if user is None or await _is_too_much(pg, waiting):
        return None
    owner = await find(pg, BY_EMAIL, user.email_key)
    match waiting.kind:
        case MailKind.REGISTERED | MailKind.VERIFY_EMAIL:
            if owner is not None and owner.account.email_verified:
                return _claimed(waiting, user, owner)
            words = await _verification(pg, user, settings)
        case MailKind.FORGOTTEN:
            words = await _reset(pg, user, settings)
        case MailKind.PASSWORD_CHANGED:
            words = texts.password_changed(user.account.username)
        case _:
            assert_never(waiting.kind)
    return _mail(waiting, user, words)


async def _user(pg: asyncpg.Connection, waiting: Waiting) -> User | None:
    if waiting.user_id is None:
        return await find(pg, BY_EMAIL, waiting.address_key)
    return await find(pg, BY_ID, waiting.user_id)


async def _is_too_much(pg: asyncpg.Connection, waiting: Waiting) -> bool:
    if waiting.kind not in _ASKED_FOR:
        return False
    return await outbox.sent_lately(pg, waiting.address_key, _ASKED_FOR) >= MOST_PER_HOUR


def _claimed(waiting: Waiting, user: User, owner: User) -> Mail | None:
    if owner.account.user_id == user.account.user_id:
        return None
    return _mail(waiting, owner, texts.address_claimed(owner.account.username, user.account.username))


async def _verification(pg: asyncpg.Connection, user: User, settings: Settings) -> Words:
    token = await issue(pg, _holder(user), Purpose.VERIFY_EMAIL, settings.verify_email_s)
    hours = max(1, settings.verify_email_s // 3600)
    return texts.verify_email(settings.public_url, user.account.username, token, hours)


async def _reset(pg: asyncpg.Connection, user: User, settings: Settings) -> Words:
    token = await issue(pg, _holder(user), Purpose.RESET_PASSWORD, settings.reset_password_s)
    minutes = max(1, settings.reset_password_s // 60)
    return texts.reset_password(settings.public_url, user.account.username, token, minutes)


def _holder(user: User) -> Holder:
    return Holder(user_id=user.account.user_id, email_key=user.email_key)


def _mail(waiting: Waiting, to: User, words: Words) -> Mail:
    # To the address as its owner wrote it, never as whoever asked did: what compares equal may be another's.
    return Mail(
        name=f"{waiting.created_at:%Y%m%dT%H%M%S}-{waiting.mail_id}",
        to=to.account.email,
        subject=words.subject,
        text=words.text,
        written_at=waiting.created_at,
    )
