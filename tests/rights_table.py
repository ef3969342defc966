"""The table of rights: what each route and each type of command needs, and what follows for whoever asks.

A route or a type that is not placed here fails tests/unit/test_rights_table.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Any

from events.roles import RIGHTS, Right, Role

Key = tuple[str, str]
"""Method and path template."""


class Needs(Enum):
    """What a route asks of whoever sends a request."""

    NOTHING = "it is for everybody"
    SIGNED_IN = "a good credential of anybody's"
    NO_TEAM_KEY = "the same, but no key for one team"
    WHOLE = "a good credential that is as good as its owner"
    SESSION = "somebody who has logged in, and no API key"
    READ = Right.READ
    WRITE = Right.WRITE
    AUDIT = Right.AUDIT
    MANAGE = Right.MANAGE
    TOLD = "to be somebody who may know what became of another's command"


class Scope(Enum):
    """What a path names."""

    NONE = "nothing that anybody belongs to"
    TEAM = "a team"
    ORGANIZATION = "an organization"


class Who(StrEnum):
    """Somebody of each role, by what they are in the own team or its organization."""

    ADMIN = "admin"
    DEVELOPER = "developer"
    VIEWER = "viewer"
    AUDITOR = "auditor"
    ORGANIZATION_ADMIN = "organization-admin"
    ORGANIZATION_MEMBER = "organization-member"
    STRANGER = "stranger"


class Where(StrEnum):
    """Which team and which organization."""

    OWN = "own team"
    OTHER = "other team of the organization"
    FOREIGN = "team of another organization"


@dataclass(frozen=True, kw_only=True, slots=True)
class Route:
    """How a route is asked. In texts, `{name}` stands for an id; `{new}` is another one each time."""

    needs: Needs
    query: str = ""
    body: Any = None
    in_rows: bool = False
    """It answers 200 in any case, with a result for each row."""


STATUS: Mapping[str, int] = {
    "unauthenticated": 401,
    "token_expired": 401,
    "token_revoked": 401,
    "forbidden": 403,
    "session_required": 403,
    "unknown_team": 404,
    "unknown_organization": 404,
    "unknown_command": 404,
}
"""The refusals of the table; what is answered with none of them was let through."""


def scope_of(path: str) -> Scope:
    """What a path names."""
    if path.startswith("/api/v1/organizations/{"):
        return Scope.ORGANIZATION
    return Scope.TEAM if path.startswith("/api/v1/teams/{") else Scope.NONE


_READ, _AUDIT, _MANAGE = Route(needs=Needs.READ), Route(needs=Needs.AUDIT), Route(needs=Needs.MANAGE)
_PUBLIC, _SESSION = Route(needs=Needs.NOTHING), Route(needs=Needs.SESSION)
_TEAM, _ORGANIZATION = "/api/v1/teams/{team_id}", "/api/v1/organizations/{organization_id}"
_ORGANIZATION_LOG = "/api/v1/organizations/{team_id}"
_INCLUSION, _CONSISTENCY = "sequence=1&size=1", "from=1&to=1"
_SECRET = "a kettle of brass sings"
_RECORD = {
    "type": "record_pattern",
    "command_id": "{new7}",
    "pattern_id": "{new}",
    "fields": {"name": "{new}"},
}
_SETTING = {"type": "change_organization_settings", "command_id": "{new7}", "set": {"days": 1}}
_ROWS = [{"action": "set", "member": "nobody", "role": "member"}]


def _signed(audits: Needs, reads: Needs, prefix: str) -> dict[Key, Route]:
    """The audit of a log, and its proofs."""
    return {
        ("GET", f"{prefix}/audit"): Route(needs=audits),
        ("GET", f"{prefix}/audit/refusals"): Route(needs=audits),
        ("GET", f"{prefix}/audit/export"): Route(needs=audits),
        ("GET", f"{prefix}/audit/log"): Route(needs=audits),
        ("GET", f"{prefix}/audit/tree-head"): Route(needs=reads),
        ("GET", f"{prefix}/audit/tree-heads"): Route(needs=reads),
        ("GET", f"{prefix}/audit/proofs/inclusion"): Route(needs=reads, query=_INCLUSION),
        ("GET", f"{prefix}/audit/proofs/consistency"): Route(needs=reads, query=_CONSISTENCY),
    }


_OF_TEAMS: dict[Key, Route] = {
    ("POST", f"{_TEAM}/commands"): Route(needs=Needs.WRITE, body=_RECORD),
    ("GET", f"{_TEAM}/commands/{{command_id}}"): Route(needs=Needs.TOLD),
    ("POST", f"{_TEAM}/imports"): Route(
        needs=Needs.WRITE, query="import_id={new7}", body=[{"name": "{new}"}], in_rows=True
    ),
    ("POST", f"{_TEAM}/invitations"): Route(needs=Needs.MANAGE, body={"role": "viewer"}),
    ("GET", f"{_TEAM}/invitations"): _MANAGE,
    ("GET", f"{_TEAM}/patterns"): _READ,
    ("GET", f"{_TEAM}/patterns/diff"): _READ,
    ("GET", f"{_TEAM}/patterns/{{pattern_id}}"): _READ,
    ("GET", f"{_TEAM}/patterns/{{pattern_id}}/history"): _READ,
    ("GET", f"{_TEAM}/patterns/{{pattern_id}}/blame"): _READ,
    ("GET", f"{_TEAM}/changes"): _READ,
    ("GET", f"{_TEAM}/conflicts"): _READ,
    ("GET", f"{_TEAM}/conflicts/{{conflict_id}}"): _READ,
    ("GET", f"{_TEAM}/merging"): _READ,
    ("GET", f"{_TEAM}/members"): _READ,
    ("GET", f"{_TEAM}/settings"): _READ,
    ("GET", f"{_TEAM}/settings/history"): _READ,
    **_signed(Needs.AUDIT, Needs.READ, _TEAM),
}
_OF_ORGANIZATIONS: dict[Key, Route] = {
    ("POST", f"{_ORGANIZATION}/commands"): Route(needs=Needs.MANAGE, body=_SETTING),
    ("GET", f"{_ORGANIZATION}/commands/{{command_id}}"): Route(needs=Needs.TOLD),
    ("POST", f"{_ORGANIZATION}/invitations"): Route(needs=Needs.MANAGE, body={"role": "member"}),
    ("GET", f"{_ORGANIZATION}/invitations"): _MANAGE,
    ("POST", f"{_ORGANIZATION}/members/batch"): Route(
        needs=Needs.MANAGE, query="batch_id={new7}", body=_ROWS, in_rows=True
    ),
    ("GET", _ORGANIZATION): _READ,
    ("GET", f"{_ORGANIZATION}/members"): _READ,
    ("GET", f"{_ORGANIZATION}/teams"): _READ,
    ("GET", f"{_ORGANIZATION}/settings"): _READ,
    ("GET", f"{_ORGANIZATION}/settings/history"): _READ,
    **_signed(Needs.AUDIT, Needs.AUDIT, _ORGANIZATION_LOG),
}
_OF_ACCOUNTS: dict[Key, Route] = {
    ("POST", "/api/v1/auth/register"): Route(
        needs=Needs.NOTHING,
        body={"username": "u-{short}", "email": "{new}@example.org", "password": _SECRET},
    ),
    ("POST", "/api/v1/auth/login"): Route(
        needs=Needs.NOTHING, body={"username": "u-{short}", "password": _SECRET}
    ),
    ("POST", "/api/v1/auth/refresh"): Route(needs=Needs.NOTHING, body={"refresh_token": "{new}"}),
    ("POST", "/api/v1/auth/password/forgotten"): Route(
        needs=Needs.NOTHING, body={"email": "{new}@example.org"}
    ),
    ("POST", "/api/v1/auth/password/reset"): Route(
        needs=Needs.NOTHING, body={"token": "x" * 43, "new_password": _SECRET}
    ),
    ("POST", "/api/v1/auth/email/verify"): Route(needs=Needs.NOTHING, body={"token": "x" * 43}),
    ("GET", "/api/v1/auth/me"): Route(needs=Needs.SIGNED_IN),
    ("POST", "/api/v1/auth/password"): Route(
        needs=Needs.SESSION, body={"current_password": "wrong", "new_password": _SECRET}
    ),
    ("POST", "/api/v1/auth/email/resend"): _SESSION,
    ("POST", "/api/v1/auth/deactivate"): Route(needs=Needs.SESSION, body={"password": "wrong"}),
    ("POST", "/api/v1/auth/logout"): _SESSION,
    ("GET", "/api/v1/auth/sessions"): _SESSION,
    ("DELETE", "/api/v1/auth/sessions"): _SESSION,
    ("DELETE", "/api/v1/auth/sessions/{session_id}"): _SESSION,
    ("POST", "/api/v1/auth/tokens/revoke"): Route(needs=Needs.SESSION, body={"token": "{spare}"}),
    ("POST", "/api/v1/auth/keys"): Route(needs=Needs.SESSION, body={"name": "ci", "right": "viewer"}),
    ("GET", "/api/v1/auth/keys"): _SESSION,
    ("DELETE", "/api/v1/auth/keys/{key_id}"): _SESSION,
}
PUBLIC_PATHS = (
    "/.well-known/jwks.json",
    "/health/live",
    "/health/ready",
    "/metrics",
    "/openapi.json",
    "/docs",
)
ROUTES: Mapping[Key, Route] = {
    **_OF_TEAMS,
    **_OF_ORGANIZATIONS,
    **_OF_ACCOUNTS,
    ("POST", "/api/v1/invitations/accept"): Route(
        needs=Needs.WHOLE, body={"token": "inv_{team_id}.{new}." + "x" * 43}
    ),
    ("GET", "/api/v1/teams"): Route(needs=Needs.SIGNED_IN),
    ("GET", "/api/v1/organizations"): Route(needs=Needs.NO_TEAM_KEY),
    ("GET", "/api/v1/audit/keys"): Route(needs=Needs.SIGNED_IN),
    **{("GET", path): _PUBLIC for path in PUBLIC_PATHS},
}

_ROLES: Mapping[tuple[Where, Who], Role] = {
    **{(Where.OWN, Who(role.value)): role for role in Role},
    (Where.OWN, Who.ORGANIZATION_ADMIN): Role.ADMIN,
    (Where.OTHER, Who.ORGANIZATION_ADMIN): Role.ADMIN,
}
_IN_ORGANIZATION: Mapping[Who, Role] = {
    Who.ORGANIZATION_ADMIN: Role.ADMIN,
    Who.ORGANIZATION_MEMBER: Role.VIEWER,
}


def role_in(scope: Scope, where: Where, who: Who) -> Role | None:
    """What somebody is there, as roles of teams are named."""
    if scope is Scope.ORGANIZATION:
        return None if where is Where.FOREIGN else _IN_ORGANIZATION.get(who)
    return _ROLES.get((where, who))


def refusal(scope: Scope, needs: Needs, role: Role | None, at_most: Role | None = None) -> str | None:
    """The code with which somebody is refused who has a role, and a credential that may be narrowed."""
    if needs is Needs.TOLD:
        told = role is Role.ADMIN if scope is Scope.ORGANIZATION else role is not None
        return None if told else "unknown_command"
    if scope is Scope.NONE or not isinstance(needs.value, Right):
        return None
    if role is None:
        return "unknown_organization" if scope is Scope.ORGANIZATION else "unknown_team"
    rights = RIGHTS[role] if at_most is None else RIGHTS[role] & RIGHTS[at_most]
    return None if needs.value in rights else "forbidden"
