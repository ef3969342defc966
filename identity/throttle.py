"""How often passwords may be tried: by the name that is tried and where from, so that none locks others out.

    known source of this user ──► its own count, patient
    any other source          ──► its own count, and the one of all others together

An attempt is counted before the password is looked at: many at once are as many. One that turns out right
takes its counts back.
"""

import hashlib
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg

from identity.account_problems import too_many_attempts

LONGEST_WAIT_S = 900
_FORGOTTEN_AFTER_S = 86_400

# Of several at once each sees what the one before it has left, at its own time and not at its transaction's.
_COUNT = f"""
INSERT INTO identity.attempts AS a (subject, source, failures, next_at, last_at)
VALUES ($1, $2, 1, '-infinity', clock_timestamp())
ON CONFLICT (subject, source) DO UPDATE SET
    (failures, next_at, last_at) = (
        SELECT n, CASE WHEN n < $3 THEN '-infinity' ELSE clock_timestamp()
                    + make_interval(secs => least(2 ^ least(n - $3, 20), {LONGEST_WAIT_S})) END,
               clock_timestamp()
          FROM (SELECT CASE WHEN a.last_at < clock_timestamp() - make_interval(secs => {_FORGOTTEN_AFTER_S})
                            THEN 1 ELSE a.failures + 1 END) AS counted (n))
    WHERE a.next_at <= clock_timestamp()
RETURNING failures
"""  # noqa: S608 - our constants
_WAIT = """
SELECT extract(epoch FROM next_at - clock_timestamp())::float8 FROM identity.attempts
 WHERE subject = $1 AND source = $2 AND isfinite(next_at)
"""
_TAKE_BACK = "DELETE FROM identity.attempts WHERE subject = $1 AND source = $2"
_GIVE_BACK = """
UPDATE identity.attempts SET failures = failures - 1, next_at = '-infinity'
 WHERE subject = $1 AND source = $2 AND failures > 0
"""
_KNOW = """
INSERT INTO identity.known_sources (user_id, source) VALUES ($1, $2)
ON CONFLICT (user_id, source) DO UPDATE SET seen_at = now()
"""
_TRIM = """
DELETE FROM identity.known_sources WHERE user_id = $1 AND source IN (
    SELECT source FROM identity.known_sources WHERE user_id = $1 ORDER BY seen_at DESC OFFSET $2)
"""
MOST_KNOWN = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class Limit:
    """How many wrong passwords cost no time, after which each costs twice as much as the one before."""

    source: bytes
    free: int


FREE_UNKNOWN = 5
FREE_KNOWN = 50
FREE_ALL_UNKNOWN = 100
ALL_UNKNOWN = hashlib.sha256(b"all others").digest()


def subject_of(login: str) -> bytes:
    """What attempts at a name are counted under, whether or not anybody has it."""
    return hashlib.sha256(login.encode("utf-8", "replace")).digest()


def source_of_address(address: str) -> bytes:
    """Where a client is: its address, of IPv6 the network of 64 bits that one customer has."""
    return hashlib.sha256(b"address:" + _network(address).encode("utf-8", "replace")).digest()


def source_of_device(secret: str) -> bytes:
    """A device that shows the secret that it was given."""
    return hashlib.sha256(b"device:" + secret.encode("utf-8", "replace")).digest()


def _network(address: str) -> str:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network((int(found), 64), strict=False))
    return str(found)


def limits_of(address: bytes, device: bytes | None, known: Sequence[bytes]) -> tuple[Limit, ...]:
    """What an attempt counts against; `known` are those of the two from which the user logged in before."""
    for source in (device, address):
        if source is not None and source in known:
            return (Limit(source=source, free=FREE_KNOWN),)
    return (
        Limit(source=address, free=FREE_UNKNOWN),
        Limit(source=ALL_UNKNOWN, free=FREE_ALL_UNKNOWN),
    )


# Rows are always taken in the order of the limits: two at once would wait for each other otherwise.
async def count(pg: asyncpg.Connection, subject: bytes, limits: Sequence[Limit]) -> None:
    """Count an attempt before it is made; raise `Problem` 429 if it comes too early, with nothing counted."""
    for limit in limits:
        if await pg.fetchval(_COUNT, subject, limit.source, limit.free) is None:
            raise too_many_attempts(await pg.fetchval(_WAIT, subject, limit.source) or 0)


async def take_back(pg: asyncpg.Connection, subject: bytes, limits: Sequence[Limit]) -> None:
    """The password was right: forget what was counted."""
    for limit in limits:
        await pg.execute(_TAKE_BACK, subject, limit.source)


async def give_back(pg: asyncpg.Connection, subject: bytes, limits: Sequence[Limit]) -> None:
    """The password was not looked at after all."""
    for limit in limits:
        await pg.execute(_GIVE_BACK, subject, limit.source)


async def know(pg: asyncpg.Connection, user_id: str, *sources: bytes) -> None:
    """Remember where a user was."""
    for source in sources:
        await pg.execute(_KNOW, user_id, source)


async def trim(pg: asyncpg.Connection, user_id: str) -> None:
    """Forget all but the places where a user was last; whoever does it has locked the user's row."""
    await pg.execute(_TRIM, user_id, MOST_KNOWN)
