"""Which budgets a request draws on: by address for who is unknown, else by user and organization."""

import hashlib
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

from limits import RateLimitItem, RateLimitItemPerMinute
from starlette.types import Scope

from events.roles import Tier
from runtime.authentication import Principal, known_principal
from runtime.settings import Settings

_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_GUARDED = tuple(f"/api/v1/auth/{name}" for name in ("login", "register", "password", "email/", "deactivate"))
"""Where passwords and proofs are tried, and mail is sent."""
_IPV6_NETWORK = 64
"""Bits of an IPv6 address that its holder does not choose (RFC 6177)."""


@dataclass(frozen=True, slots=True)
class Budget:
    """So much in a minute for one key; `name` is what clients read in `RateLimit-Policy`."""

    name: str
    item: RateLimitItem
    key: str


@dataclass(frozen=True, kw_only=True)
class Allowances:
    """How much each kind of client may ask for in a minute."""

    anonymous: RateLimitItem
    login: RateLimitItem
    account: RateLimitItem
    user: Mapping[tuple[Tier, bool], RateLimitItem]
    organization: Mapping[tuple[Tier, bool], RateLimitItem]

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Those that the settings name; a pair of a tier and whether it is writing has its own."""
        numbers = {
            (Tier.FREE, False): settings.rate_free_reads,
            (Tier.FREE, True): settings.rate_free_writes,
            (Tier.TEAM, False): settings.rate_team_reads,
            (Tier.TEAM, True): settings.rate_team_writes,
            (Tier.ENTERPRISE, False): settings.rate_enterprise_reads,
            (Tier.ENTERPRISE, True): settings.rate_enterprise_writes,
        }
        factor = settings.rate_organization_factor
        return cls(
            anonymous=RateLimitItemPerMinute(settings.rate_anonymous),
            login=RateLimitItemPerMinute(settings.rate_login),
            account=RateLimitItemPerMinute(settings.rate_login_account),
            user={which: RateLimitItemPerMinute(number) for which, number in numbers.items()},
            organization={which: RateLimitItemPerMinute(n * factor) for which, n in numbers.items()},
        )

    def budgets_of(self, scope: Scope) -> list[Budget]:
        """What a request draws on, each by one."""
        writing = scope["method"] not in _READING
        if writing and scope["path"].startswith(_GUARDED):
            return [Budget("login", self.login, f"login/{_network_in(scope)}")]
        kind = "writes" if writing else "reads"
        principal = known_principal(scope)
        if principal is None:
            return [Budget(f"anonymous-{kind}", self.anonymous, f"{kind}/address/{_network_in(scope)}")]
        return self._of_principal(principal, kind, writing)

    def budget_of_account(self, scope: Scope, account: str) -> Budget:
        """Tries of one account from one network: nobody can use up what others have for the same account."""
        # The name may be an e-mail address, which Redis is not to keep.
        hashed = hashlib.sha256(account.strip().lower().encode("utf-8", "replace")).hexdigest()[:32]
        return Budget("login-account", self.account, f"account/{hashed}/{_network_in(scope)}")

    def _of_principal(self, principal: Principal, kind: str, writing: bool) -> list[Budget]:
        which = (principal.tier, writing)
        budgets = [Budget(f"user-{kind}", self.user[which], f"{kind}/user/{principal.actor}")]
        if principal.organization_id is not None:
            key = f"{kind}/organization/{principal.organization_id}"
            budgets.append(Budget(f"organization-{kind}", self.organization[which], key))
        return budgets


def _network_in(scope: Scope) -> str:
    client = scope.get("client")
    return network_of(client[0]) if client else "unknown"


@lru_cache(maxsize=4096)
def network_of(host: str) -> str:
    """What stands for the holder of an address: an IPv4 address, or the /64 of an IPv6 one."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return "unknown"
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((int(address), _IPV6_NETWORK), strict=False))
