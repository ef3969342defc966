"""What was revoked before its time: one token, all of a session, or an API key; a mirror in memory."""

import asyncio
import contextlib
import heapq
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

UNHEARD_S: Final = 5.0
"""Seconds after which nobody knows any more what was revoked meanwhile."""
KEY_UNHEARD_S: Final = 300.0
"""Seconds for which an API key is taken that Postgres had lately."""


class Kind(StrEnum):
    """What a revocation names. One of a user ends no token: it refuses a login that began before it."""

    TOKEN = "token"  # noqa: S105 - a kind
    SESSION = "session"
    USER = "user"
    KEY = "key"


@dataclass(frozen=True, kw_only=True, slots=True)
class Revocation:
    """One that is worth knowing until `expires_at`, seconds since 1970: what it names has expired then."""

    kind: Kind
    subject: str
    expires_at: float


class Revocations:
    """Everything that is revoked, as far as this process has heard.

    Postgres is asked twice a second and Redis tells at once; each of them is enough. Times of hearing are
    monotonic seconds.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], float] = {}
        self._by_expiry: list[tuple[float, tuple[str, str]]] = []
        self._redis_at: float | None = None
        self._postgres_at: float | None = None
        self._postgres_since = 0.0
        self._heard = asyncio.Event()

    def __len__(self) -> int:
        return len(self._known)

    def add(self, one: Revocation) -> None:
        """Learn of one; twice is harmless."""
        what = (one.kind.value, one.subject)
        if self._known.get(what, 0.0) < one.expires_at:
            self._known[what] = one.expires_at
            heapq.heappush(self._by_expiry, (one.expires_at, what))

    def is_revoked(self, *named: tuple[str, str | None]) -> bool:
        """Whether any of these is; each is a kind and a subject."""
        known = self._known
        return any(one in known for one in named)

    def forget_expired(self, now: float) -> None:
        """Drop what has expired by now, in seconds since 1970."""
        while self._by_expiry and self._by_expiry[0][0] <= now:
            expires_at, what = heapq.heappop(self._by_expiry)
            if self._known.get(what) == expires_at:
                del self._known[what]

    def heard_redis(self, at: float) -> None:
        """Redis has told everything that it has."""
        self._redis_at = at
        self._heard.set()

    def heard_postgres(self, at: float) -> None:
        """Postgres has told everything that it has."""
        if self._postgres_at is None or at - self._postgres_at > KEY_UNHEARD_S:
            self._postgres_since = at
        self._postgres_at = at
        self._heard.set()

    def is_current(self, now: float) -> bool:
        """Whether either was heard lately."""
        return any(at is not None and now - at <= UNHEARD_S for at in (self._redis_at, self._postgres_at))

    def is_key_current(self, verified_at: float, now: float) -> bool:
        """Whether Postgres had an API key lately that it had then: it tells of each that is gone."""
        heard_at = verified_at
        if self._postgres_at is not None and verified_at >= self._postgres_since:
            heard_at = max(heard_at, self._postgres_at)
        return now - heard_at <= KEY_UNHEARD_S

    async def hearing(self, within: float) -> None:
        """Wait until either was heard, but no longer than so many seconds."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within):
                await self._heard.wait()

    def unheard(self, now: float) -> list[str]:
        """The names of those that were not heard lately."""
        heard = {"Postgres": self._postgres_at, "Redis": self._redis_at}
        return [name for name, at in heard.items() if at is None or now - at > UNHEARD_S]
