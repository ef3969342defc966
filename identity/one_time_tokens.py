"""Tokens that are sent by mail, stored as a hash, and good for one use."""

import hashlib
import secrets
from dataclasses import dataclass
from enum import StrEnum

import asyncpg

_BYTES = 32
_FORM = 43
"""Characters of 32 bytes in URL-safe base64."""

_ADD = """
INSERT INTO identity.one_time_tokens (hash, user_id, purpose, email_key, expires_at)
VALUES ($1, $2, $3, $4, now() + make_interval(secs => $5))
"""
_GOOD = "purpose = $2 AND used_at IS NULL AND expires_at > now()"
_FIND = f"SELECT user_id, email_key FROM identity.one_time_tokens WHERE hash = $1 AND {_GOOD}"  # noqa: S608
_USE = f"""
UPDATE identity.one_time_tokens SET used_at = now() WHERE hash = $1 AND {_GOOD} RETURNING user_id, email_key
"""  # noqa: S608 - our constants
_VOID = """
UPDATE identity.one_time_tokens SET used_at = now() WHERE user_id = $1 AND purpose = $2 AND used_at IS NULL
"""


class Purpose(StrEnum):
    """What a token is good for."""

    VERIFY_EMAIL = "verify_email"
    RESET_PASSWORD = "reset_password"  # noqa: S105 - a purpose


@dataclass(frozen=True, kw_only=True, slots=True)
class Holder:
    """Whom a token was sent to, and where."""

    user_id: str
    email_key: str


async def issue(pg: asyncpg.Connection, holder: Holder, purpose: Purpose, lifetime_s: int) -> str:
    """A new token; this is the one time that it is seen."""
    token = secrets.token_urlsafe(_BYTES)
    await pg.execute(
        _ADD, _hash_of(token), holder.user_id, purpose.value, holder.email_key, float(lifetime_s)
    )
    return token


async def holder_of(pg: asyncpg.Connection, token: str, purpose: Purpose) -> Holder | None:
    """Whose a token is, if it is good; it stays so."""
    return await _holder(pg, _FIND, token, purpose)


async def use(pg: asyncpg.Connection, token: str, purpose: Purpose) -> Holder | None:
    """Whose a token is, once: of two who use it at the same time, one is told."""
    return await _holder(pg, _USE, token, purpose)


async def void_all(pg: asyncpg.Connection, user_id: str, purpose: Purpose) -> None:
    """Make all others of a user's tokens for a purpose worthless."""
    await pg.execute(_VOID, user_id, purpose.value)


async def _holder(pg: asyncpg.Connection, statement: str, token: str, purpose: Purpose) -> Holder | None:
    if len(token) != _FORM:
        return None
    row = await pg.fetchrow(statement, _hash_of(token), purpose.value)
    return None if row is None else Holder(user_id=str(row["user_id"]), email_key=row["email_key"])


def _hash_of(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()
