"""How a client learns what it has left (draft-ietf-httpapi-ratelimit-headers-10, and the names before it)."""

from collections.abc import Sequence

from runtime.edge.response_headers import Header
from runtime.rate_limits.leases import Standing


def rate_headers(standings: Sequence[Standing]) -> list[Header]:
    """Each budget in the new headers, and in the old ones that which is used up first."""
    tightest = min(standings, key=lambda standing: standing.remaining)
    policy = ", ".join(map(_policy, standings))
    state = ", ".join(f'"{one.budget.name}";r={one.remaining};t={one.reset_s}' for one in standings)
    return [
        (b"ratelimit-policy", policy.encode()),
        (b"ratelimit", state.encode()),
        (b"ratelimit-limit", b"%d" % tightest.budget.item.amount),
        (b"ratelimit-remaining", b"%d" % tightest.remaining),
        (b"ratelimit-reset", b"%d" % tightest.reset_s),
    ]


def _policy(standing: Standing) -> str:
    item = standing.budget.item
    return f'"{standing.budget.name}";q={item.amount};w={item.get_expiry()}'
