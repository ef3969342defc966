"""Hits taken in advance, and spent without asking: most requests cost Redis nothing.

A lease is counted in full when it is taken, so that all processes together admit no more than the limit; what
is left of it after `LEASE_S` is lost to the client. It starts small, doubles when it is spent in time and
shrinks to what was spent when not, so little is lost.
"""

import asyncio
import math
import time
from dataclasses import dataclass, field

from runtime.rate_limits.budgets import Budget
from runtime.rate_limits.counters import Counters

LEASE_S = 5.0
_MOST_LEASES = 20_000
_FIRST_SHARE = 1_000
_LARGEST_SHARE = 50
"""The parts of its limit that a lease is at first, and at the most."""
_LOOKED_SHARE = 100
"""What others have taken is looked at whenever this part of the limit was taken here, and at each refusal."""
_REFUSED_S = 1.0
"""A refusal is remembered for so long, so that who goes on costs nothing."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What a budget has left, and in how many seconds it will have more."""

    budget: Budget
    allowed: bool
    remaining: int
    reset_s: int

    def wait_s(self, cost: int) -> int:
        """In how many seconds so many hits may be admitted, if nobody else asks."""
        item = self.budget.item
        missing = max(0, cost - self.remaining) * item.get_expiry() / item.amount
        return max(self.reset_s, math.ceil(missing))


@dataclass(slots=True)
class _Lease:
    size: int
    left: int = 0
    until: float = 0.0
    beyond: int = 0
    reset_at: float = 0.0
    looked_at: float = 0.0
    taken_since: int = 0
    refused: int = 0
    refused_until: float = 0.0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    def take(self, budget: Budget, cost: int, now: float) -> Standing | None:
        if now < self.until and self.left >= cost:
            self.left -= cost
            return self.standing(budget, now, allowed=True)
        if now < self.refused_until and cost >= self.refused:
            return self.standing(budget, now, allowed=False)
        return None

    def standing(self, budget: Budget, now: float, *, allowed: bool) -> Standing:
        left = self.left if now < self.until else 0
        return Standing(budget, allowed, self.beyond + left, max(1, math.ceil(self.reset_at - now)))

    def guess(self, budget: Budget, taken: int, now: float) -> None:
        """What is left if nobody else has asked since it was looked at."""
        window = budget.item.get_expiry()
        if now - self.looked_at >= window:
            self.beyond, self.looked_at, self.taken_since = budget.item.amount, now, taken
        self.beyond = max(0, self.beyond - taken)
        self.reset_at = now + window


class Leases:
    """The leases of this process, by key."""

    def __init__(self, counters: Counters) -> None:
        self._counters = counters
        self._leases: dict[str, _Lease] = {}

    def spend_now(self, budget: Budget, cost: int = 1) -> Standing | None:
        """Spend where it can be told without asking; None where it cannot."""
        lease = self._leases.get(budget.key)
        return None if lease is None else lease.take(budget, cost, time.time())

    async def spend(self, budget: Budget, cost: int = 1) -> Standing:
        """Spend, or be refused."""
        lease = self._lease_of(budget)
        async with lease.lock:
            if (known := lease.take(budget, cost, time.time())) is not None:
                return known
            granted = await self._renew(lease, budget, cost)
            now = time.time()
            if granted:
                lease.left -= cost
            else:
                lease.refused, lease.refused_until = cost, now + _REFUSED_S
            return lease.standing(budget, now, allowed=granted)

    async def _renew(self, lease: _Lease, budget: Budget, cost: int) -> bool:
        now = time.time()
        if lease.until:
            lease.size = _next_size(lease, budget, now)
        left = lease.left if now < lease.until else 0
        wanted = max(cost, lease.size)
        granted = await self._counters.hit(budget.item, budget.key, wanted)
        if not granted and wanted > cost:
            wanted = lease.size = cost
            granted = await self._counters.hit(budget.item, budget.key, wanted)
        lease.taken_since += wanted
        if not granted or lease.taken_since * _LOOKED_SHARE >= budget.item.amount:
            stats = await self._counters.stats(budget.item, budget.key)
            lease.beyond, lease.reset_at = stats.remaining, stats.reset_time
            lease.looked_at, lease.taken_since = now, 0
        else:
            lease.guess(budget, wanted, now)
        if granted:
            lease.left, lease.until = left + wanted, time.time() + LEASE_S
        return granted

    def _lease_of(self, budget: Budget) -> _Lease:
        lease = self._leases.get(budget.key)
        if lease is None:
            if len(self._leases) >= _MOST_LEASES:
                self._forget()
            lease = self._leases[budget.key] = _Lease(max(1, budget.item.amount // _FIRST_SHARE))
        return lease

    def _forget(self) -> None:
        """Drop what has ended; of an older half of the rest its hits are lost, and nothing else."""
        now = time.time()
        live = [item for item in self._leases.items() if now < max(item[1].until, item[1].refused_until)]
        self._leases = dict(live[-_MOST_LEASES // 2 :])


def _next_size(lease: _Lease, budget: Budget, now: float) -> int:
    most = max(1, budget.item.amount // _LARGEST_SHARE)
    if now < lease.until:
        return min(most, lease.size * 2)
    return min(most, max(1, lease.size - lease.left))
