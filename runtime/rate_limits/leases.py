"""Hits taken in advance, and spent without asking: most requests cost Redis nothing.

A lease is counted in full when it is taken, so that all processes together never admit more than the limit;
what is left of it after `LEASE_S` is lost to the client. It starts with one hit, doubles when it is spent in
time and shrinks to what was spent when not, so little is lost.
"""

import asyncio
import math
import time
from dataclasses import dataclass, field

from runtime.rate_limits.budgets import Budget
from runtime.rate_limits.counters import Counters

LEASE_S = 2.0
_MOST_LEASES = 20_000
_LARGEST_SHARE = 50
"""A lease is at most this part of its limit."""
_REFUSED_S = 1.0
"""A refusal is remembered for so long, so that who goes on costs nothing."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What a budget has left, and in how many seconds it will have more."""

    budget: Budget
    allowed: bool
    remaining: int
    reset_s: int


@dataclass(slots=True)
class _Lease:
    size: int = 1
    left: int = 0
    until: float = 0.0
    beyond: int = 0
    reset_at: float = 0.0
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
        lease = self._lease_of(budget.key)
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
        lease.size = _next_size(lease, budget, now)
        left = lease.left if now < lease.until else 0
        wanted = max(cost, lease.size)
        granted = await self._counters.hit(budget.item, budget.key, wanted)
        if not granted and wanted > cost:
            wanted = lease.size = cost
            granted = await self._counters.hit(budget.item, budget.key, wanted)
        stats = await self._counters.stats(budget.item, budget.key)
        lease.beyond, lease.reset_at = stats.remaining, stats.reset_time
        if granted:
            lease.left, lease.until = left + wanted, time.time() + LEASE_S
        return granted

    def _lease_of(self, key: str) -> _Lease:
        lease = self._leases.get(key)
        if lease is None:
            if len(self._leases) >= _MOST_LEASES:
                self._forget()
            lease = self._leases[key] = _Lease()
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
