"""The limits of one process: who is judged by what, and what each request has drawn."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from starlette.types import Scope

from runtime.health import Health
from runtime.metrics import RATE_LIMITED
from runtime.problems import Problem
from runtime.rate_limits.budgets import Allowances, Budget
from runtime.rate_limits.counters import PART, Counters
from runtime.rate_limits.leases import Leases, Standing
from runtime.settings import Environment, Settings
from runtime.startup_failures import Misconfigured

_STATE = "rate_limits"
_BYTES_AS_ONE = 32 * 1024
_MOST_FOR_BYTES = 400
"""Less than any limit of writes: the largest body has to fit into a minute."""


class Limiting:
    """What `app.state.rate_limits` is where requests are limited."""

    def __init__(self, allowances: Allowances, counters: Counters) -> None:
        self.allowances = allowances
        self._leases = Leases(counters)

    async def spend(self, budgets: Sequence[Budget], cost: int) -> list[Standing]:
        """Draw on each budget up to one that refuses, which is then the last."""
        standings = []
        for budget in budgets:
            standing = self._leases.spend_now(budget, cost) or await self._leases.spend(budget, cost)
            standings.append(standing)
            if not standing.allowed:
                break
        return standings


def limiting_of(scope: Scope) -> Limiting | None:
    """The limits of the app; None where there are none."""
    found: Limiting | None = getattr(scope["app"].state, "rate_limits", None)
    return found


async def draw(scope: Scope, limiting: Limiting, budgets: Sequence[Budget], cost: int) -> None:
    """Draw on budgets and note where they stand for the answer's headers; raise `Problem` 429."""
    standings = await limiting.spend(budgets, cost)
    drawn = {standing.budget.name for standing in standings}
    before = [standing for standing in standings_in(scope) if standing.budget.name not in drawn]
    scope["state"][_STATE] = before + standings
    if not (last := standings[-1]).allowed:
        RATE_LIMITED.labels(last.budget.name).inc()
        detail = f"more than {last.budget.item.amount} a minute of {last.budget.name}; ask again later"
        raise Problem("rate_limited", 429, detail, headers={"Retry-After": str(last.wait_s(cost))})


def standings_in(scope: Scope) -> list[Standing]:
    """Where the budgets stood when the request last drew on them."""
    found: list[Standing] = scope["state"].get(_STATE, [])
    return found


async def charge(request: Request, more: int) -> None:
    """Draw for what a request holds beyond the one that it was taken for; raise `Problem` 429."""
    limiting = limiting_of(request.scope)
    if limiting is not None and more > 0:
        await draw(request.scope, limiting, limiting.allowances.budgets_of(request.scope), more)


async def charge_bytes(request: Request, size: int) -> int:
    """Draw for the reading of so many bytes before they are read; how much it was. Raise `Problem` 429."""
    more = min(size // _BYTES_AS_ONE, _MOST_FOR_BYTES)
    await charge(request, more)
    return more


async def charge_login(request: Request, account: str) -> None:
    """Draw for one try of an account's password; raise `Problem` 429."""
    limiting = limiting_of(request.scope)
    if limiting is not None:
        budget = limiting.allowances.budget_of_account(request.scope, account)
        await draw(request.scope, limiting, [budget], 1)


@asynccontextmanager
async def rate_limits_part(app: FastAPI, settings: Settings, health: Health) -> AsyncIterator[None]:
    """Count requests as long as the process works."""
    counters = Counters(settings, health)
    app.state.rate_limits = Limiting(Allowances.of(settings), counters)
    watching = app.state.workers.spawn(counters.watch(), PART)
    try:
        yield
    finally:
        watching.cancel()
        await counters.close()


def are_limited(settings: Settings) -> bool:
    """Whether requests are limited; raise `Misconfigured` where they are not and have to be."""
    if not settings.rate_limits and settings.environment is not Environment.DEVELOPMENT:
        raise Misconfigured("PATTERNLOG_RATE_LIMITS: they are switched off in development only")
    return settings.rate_limits
