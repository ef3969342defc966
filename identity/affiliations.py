"""To which organization a user belongs: what logins and credentials say of it."""

from dataclasses import dataclass
from typing import Protocol

from events.roles import Tier


@dataclass(frozen=True, kw_only=True, slots=True)
class Affiliation:
    """An organization, what the user is in it, and what it has subscribed to."""

    organization_id: str | None = None
    role: str | None = None
    tier: Tier = Tier.FREE


class Affiliations(Protocol):
    """Knows them."""

    async def of(self, user_id: str) -> Affiliation:
        """That of a user; one that says none where there is none, or where it cannot be known now."""
