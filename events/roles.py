"""Who may do what: the roles that people have in teams and organizations, and the tiers of organizations."""

from collections.abc import Mapping
from enum import StrEnum


class Role(StrEnum):
    """What someone is in a team."""

    ADMIN = "admin"
    DEVELOPER = "developer"
    VIEWER = "viewer"
    AUDITOR = "auditor"


class OrganizationRole(StrEnum):
    """What someone is in an organization; its admins are admins of its teams, too."""

    ADMIN = "admin"
    MEMBER = "member"


class Right(StrEnum):
    """What a role allows."""

    READ = "read"
    WRITE = "write"
    AUDIT = "audit"
    MANAGE = "manage"


class Tier(StrEnum):
    """What an organization has subscribed to; it decides how much may be asked of the service."""

    FREE = "free"
    TEAM = "team"
    ENTERPRISE = "enterprise"


RIGHTS: Mapping[Role, frozenset[Right]] = {
    Role.ADMIN: frozenset(Right),
    Role.DEVELOPER: frozenset({Right.READ, Right.WRITE}),
    Role.VIEWER: frozenset({Right.READ}),
    Role.AUDITOR: frozenset({Right.READ, Right.AUDIT}),
}
"""The one table of rights; docs/roles.md shows it."""


def allows(role: Role | None, right: Right, at_most: Role | None = None) -> bool:
    """Whether a role has a right, under a credential that is good for the rights of another role at most."""
    if role is None or right not in RIGHTS[role]:
        return False
    return at_most is None or right in RIGHTS[at_most]
