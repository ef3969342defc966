"""The outbox: mails are written down with what causes them, and sent afterwards, so that none is lost."""

from dataclasses import dataclass
from datetime import datetime

import asyncpg

from identity.account_rules import key_of
from identity.mail.texts import MailKind

_PUT = "INSERT INTO identity.mails (kind, user_id, address, address_key) VALUES ($1, $2, $3, $4)"
# Whoever takes one has it until then; if they die, another takes it. A newer version may know other kinds.
_TAKE = """
UPDATE identity.mails SET tries = tries + 1, next_at = now() + make_interval(secs => $1)
 WHERE mail_id = (SELECT mail_id FROM identity.mails
                   WHERE done_at IS NULL AND next_at <= now() AND kind = ANY($2)
                   ORDER BY next_at, mail_id LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING mail_id, kind, user_id, address, address_key, created_at, tries, now() - created_at AS age
"""
_DONE = "UPDATE identity.mails SET done_at = now(), result = $2 WHERE mail_id = $1"
_LATER = """
UPDATE identity.mails SET next_at = now() + make_interval(secs => $2), result = $3 WHERE mail_id = $1
"""
_SENT = """
SELECT count(*) FROM identity.mails
 WHERE address_key = $1 AND done_at > now() - interval '1 hour' AND result = 'sent' AND kind = ANY($2)
"""
_PURGE = "DELETE FROM identity.mails WHERE done_at < now() - interval '1 day'"


@dataclass(frozen=True, kw_only=True, slots=True)
class Waiting:
    """A mail that was taken out to be sent."""

    mail_id: int
    kind: MailKind
    user_id: str | None
    address: str
    created_at: datetime
    tries: int
    age_s: float

    @property
    def address_key(self) -> str:
        """The address as others are compared with it."""
        return key_of(self.address)


async def put(pg: asyncpg.Connection, kind: MailKind, address: str, user_id: str | None = None) -> None:
    """Write a mail down; it is sent if the transaction is committed."""
    await pg.execute(_PUT, kind.value, user_id, address, key_of(address))


async def take(pg: asyncpg.Connection, lease_s: float) -> Waiting | None:
    """The mail that has waited longest, for so many seconds; None if none has to go."""
    row = await pg.fetchrow(_TAKE, lease_s, [kind.value for kind in MailKind])
    if row is None:
        return None
    return Waiting(
        mail_id=row["mail_id"],
        kind=MailKind(row["kind"]),
        user_id=None if row["user_id"] is None else str(row["user_id"]),
        address=row["address"],
        created_at=row["created_at"],
        tries=row["tries"],
        age_s=row["age"].total_seconds(),
    )


async def done(pg: asyncpg.Connection, mail: Waiting, result: str) -> None:
    """The mail needs nothing more."""
    await pg.execute(_DONE, mail.mail_id, result)


async def later(pg: asyncpg.Connection, mail: Waiting, wait_s: float, reason: str) -> None:
    """The mail is tried again."""
    await pg.execute(_LATER, mail.mail_id, wait_s, reason)


async def sent_lately(pg: asyncpg.Connection, address_key: str, kinds: list[MailKind]) -> int:
    """How many mails of these kinds an address got in the last hour."""
    return int(await pg.fetchval(_SENT, address_key, [kind.value for kind in kinds]))


async def purge(pg: asyncpg.Connection) -> None:
    """Forget what was sent more than a day ago."""
    await pg.execute(_PURGE)
