"""Users as rows: the statements, and what is read of them."""

from dataclasses import dataclass
from typing import Any

import asyncpg

from identity.account import Account

_COLUMNS = """
user_id, username, email, email_key, email_verified_at, created_at, password_changed_at, password_hash
"""
_ACTIVE = "deactivated_at IS NULL"
BY_ID = f"SELECT {_COLUMNS} FROM identity.users WHERE user_id = $1 AND {_ACTIVE}"  # noqa: S608
BY_LOGIN = f"""
SELECT {_COLUMNS}, ARRAY(SELECT source FROM identity.known_sources AS k
                          WHERE k.user_id = u.user_id AND source = ANY($2)) AS known
  FROM identity.users AS u
 WHERE {_ACTIVE} AND (username_key = $1 OR (email_key = $1 AND email_verified_at IS NOT NULL))
"""  # noqa: S608 - our constants
IS_TAKEN = "SELECT 1 FROM identity.users WHERE username_key = $1"
BY_EMAIL = f"""
SELECT {_COLUMNS} FROM identity.users WHERE email_key = $1 AND {_ACTIVE}
 ORDER BY email_verified_at NULLS LAST, created_at DESC LIMIT 1
"""  # noqa: S608 - our constants
"""Who has shown that an address is theirs, or else who last said so."""
ADD = """
INSERT INTO identity.users (user_id, username, username_key, email, email_key, password_hash)
VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (username_key) DO NOTHING
RETURNING created_at, password_changed_at
"""
RENEW_HASH = """
UPDATE identity.users SET password_hash = $3 WHERE user_id = $1 AND password_hash = $2
"""
STILL_HAS = f"""
SELECT 1 FROM identity.users WHERE user_id = $1 AND password_changed_at = $2 AND {_ACTIVE} FOR NO KEY UPDATE
"""  # noqa: S608 - our constants
LOCK = f"SELECT 1 FROM identity.users WHERE user_id = $1 AND {_ACTIVE} FOR NO KEY UPDATE"  # noqa: S608
SET_PASSWORD = f"""
UPDATE identity.users SET password_hash = $2, password_changed_at = clock_timestamp()
 WHERE user_id = $1 AND password_changed_at = $3 AND {_ACTIVE} RETURNING user_id
"""  # noqa: S608 - our constants
"""A login may renew the hash meanwhile; the time says whether it is the same password."""
VERIFY = f"""
UPDATE identity.users AS u SET email_verified_at = coalesce(email_verified_at, now())
 WHERE user_id = $1 AND email_key = $2 AND {_ACTIVE} AND NOT EXISTS (
       SELECT FROM identity.users AS o
        WHERE o.email_key = $2 AND o.email_verified_at IS NOT NULL AND o.user_id <> u.user_id)
RETURNING user_id
"""  # noqa: S608 - our constants
DEACTIVATE = f"""
UPDATE identity.users SET deactivated_at = now(), email = NULL, email_key = NULL, email_verified_at = NULL,
       password_hash = NULL WHERE user_id = $1 AND {_ACTIVE} AND password_changed_at = $2
RETURNING user_id
"""  # noqa: S608 - our constants
FORGET = (
    "DELETE FROM identity.one_time_tokens WHERE user_id = $1",
    "DELETE FROM identity.known_sources WHERE user_id = $1",
    "DELETE FROM identity.mails WHERE user_id = $1",
)
"""What nobody needs of a user who is gone."""


@dataclass(frozen=True, kw_only=True, slots=True)
class User:
    """An active user, with what only this module's neighbours may see."""

    account: Account
    password_hash: str
    email_key: str
    known: tuple[bytes, ...] = ()


def user_of(row: asyncpg.Record) -> User:
    """What a row says."""
    return User(
        account=account_of(row),
        password_hash=row["password_hash"],
        email_key=row["email_key"],
        known=tuple(row.get("known") or ()),
    )


def account_of(row: asyncpg.Record) -> Account:
    """The part of it that others may see."""
    return Account(
        user_id=str(row["user_id"]),
        username=row["username"],
        email=row["email"],
        email_verified=row["email_verified_at"] is not None,
        created_at=row["created_at"],
        password_changed_at=row["password_changed_at"],
    )


async def find(pg: asyncpg.Connection, statement: str, *arguments: Any) -> User | None:
    """The one user whom a statement finds, or None."""
    row = await pg.fetchrow(statement, *arguments)
    return None if row is None else user_of(row)
