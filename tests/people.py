"""Commands and events about people, told shortly: of one team and one organization."""

import hashlib

from command_api.decisions.organization_commands import (
    AcceptOrganizationInvitation,
    AddOrganizationMember,
    AddTeam,
    ChangeOrganizationRole,
    ChangeOrganizationSettings,
    ChangeTier,
    CreateOrganization,
    InviteOrganizationMember,
    OrganizationCommand,
    RemoveOrganizationMember,
    RevokeOrganizationInvitation,
)
from command_api.decisions.sender import Sender
from command_api.decisions.team_commands import (
    AcceptInvitation,
    AddMember,
    ApplyOrganization,
    ChangeMemberRole,
    ChangeSettings,
    InviteMember,
    OpenTeam,
    RemoveMember,
    RevokeInvitation,
    TeamCommand,
)
from events.json_text import Json
from events.organization import (
    OrganizationCreated,
    OrganizationMemberAdded,
    OrganizationMemberInvited,
)
from events.roles import OrganizationRole, Role, Tier
from events.team import (
    TeamCreated,
    TeamMemberAdded,
    TeamMemberInvited,
    TeamOrganizationApplied,
)
from tests.commands import COMMAND
from tests.specs import ADA

ORGANIZATION = "0d9d2d0a-0d0e-4c53-8d55-0d6f6c1f7a99"
INVITATION = "33333333-3333-4333-8333-333333333333"
OTHER_INVITATION = "44444444-4444-4444-8444-444444444444"
PROOF = hashlib.sha256(b"secret").hexdigest()
PROOF_HASH = hashlib.sha256(PROOF.encode()).hexdigest()
NOW_MS = ADA.at_ms
EXPIRES = "2025-10-10T08:53:20.000Z"
"""A day after NOW_MS."""
DAY_MS = 24 * 60 * 60 * 1000


def by(actor: str, at_most: Role | None = None, at_ms: int = NOW_MS) -> Sender:
    return Sender(actor=actor, at_most=at_most, at_ms=at_ms)


SERVICE = by("system:organizations")

# ---------------------------------------------------------------- events


def team_member(member: str, role: Role) -> TeamMemberAdded:
    return TeamMemberAdded(member=member, role=role)


def team_invited(invitation_id: str = INVITATION, expires_at: str = EXPIRES) -> TeamMemberInvited:
    return TeamMemberInvited(
        invitation_id=invitation_id, role=Role.DEVELOPER, proof_hash=PROOF_HASH, expires_at=expires_at
    )


def opened(admin: str | None = "ada") -> TeamCreated:
    """A team of the organization."""
    return TeamCreated(name="Team", admin=admin, organization_id=ORGANIZATION)


def applied(
    version: int = 3,
    *removed: str,
    admins: tuple[str, ...] = ("eve",),
    defaults: dict[str, Json] | None = None,
    enforced: tuple[str, ...] = (),
) -> TeamOrganizationApplied:
    return TeamOrganizationApplied(
        organization_version=version,
        admins=list(admins),
        removed=list(removed),
        defaults=defaults or {},
        enforced=list(enforced),
        tier=Tier.FREE,
    )


def organization(admin: str = "ada") -> OrganizationCreated:
    return OrganizationCreated(name="Acme", admin=admin)


def organization_member(
    member: str, role: OrganizationRole = OrganizationRole.MEMBER
) -> OrganizationMemberAdded:
    return OrganizationMemberAdded(member=member, role=role)


def organization_invited(
    invitation_id: str = INVITATION, expires_at: str = EXPIRES
) -> OrganizationMemberInvited:
    return OrganizationMemberInvited(
        invitation_id=invitation_id,
        role=OrganizationRole.MEMBER,
        proof_hash=PROOF_HASH,
        expires_at=expires_at,
    )


# ---------------------------------------------------------------- commands


def add(member: str, role: Role = Role.DEVELOPER) -> AddMember:
    return AddMember(command_id=COMMAND, member=member, role=role)


def change_role(member: str, role: Role) -> ChangeMemberRole:
    return ChangeMemberRole(command_id=COMMAND, member=member, role=role)


def remove(member: str) -> RemoveMember:
    return RemoveMember(command_id=COMMAND, member=member)


def invite(invitation_id: str = INVITATION, expires_at: str = EXPIRES) -> InviteMember:
    return InviteMember(
        command_id=COMMAND,
        invitation_id=invitation_id,
        role=Role.DEVELOPER,
        proof_hash=PROOF_HASH,
        expires_at=expires_at,
    )


def accept(proof: str = PROOF, invitation_id: str = INVITATION) -> AcceptInvitation:
    return AcceptInvitation(command_id=COMMAND, invitation_id=invitation_id, proof=proof)


def revoke(invitation_id: str = INVITATION) -> RevokeInvitation:
    return RevokeInvitation(command_id=COMMAND, invitation_id=invitation_id)


def change_settings(*removed: str, **chosen: Json) -> ChangeSettings:
    return ChangeSettings(command_id=COMMAND, set=chosen, remove=list(removed))


def open_team(admin: str = "ada") -> OpenTeam:
    return OpenTeam(command_id=COMMAND, name="Team", organization_id=ORGANIZATION, admin=admin)


def apply(version: int, *removed: str, organization_id: str = ORGANIZATION) -> ApplyOrganization:
    return ApplyOrganization(
        command_id=COMMAND,
        organization_id=organization_id,
        organization_version=version,
        admins=["eve"],
        removed=list(removed),
        defaults={},
        enforced=[],
        tier=Tier.FREE,
    )


MANAGING: tuple[TeamCommand, ...] = (
    add("zoe"),
    change_role("dev", Role.VIEWER),
    remove("dev"),
    invite(OTHER_INVITATION),
    revoke(),
    change_settings(x=1),
)
"""What takes the right to manage a team."""
SERVICE_ONLY: tuple[TeamCommand | OrganizationCommand, ...] = (
    open_team(),
    apply(9),
    ChangeTier(command_id=COMMAND, tier=Tier.ENTERPRISE),
)


def create_organization() -> CreateOrganization:
    return CreateOrganization(command_id=COMMAND, name="Acme")


def add_to_organization(
    member: str, role: OrganizationRole = OrganizationRole.MEMBER
) -> AddOrganizationMember:
    return AddOrganizationMember(command_id=COMMAND, member=member, role=role)


def change_organization_role(member: str, role: OrganizationRole) -> ChangeOrganizationRole:
    return ChangeOrganizationRole(command_id=COMMAND, member=member, role=role)


def remove_from_organization(member: str) -> RemoveOrganizationMember:
    return RemoveOrganizationMember(command_id=COMMAND, member=member)


def invite_to_organization(
    invitation_id: str = INVITATION, expires_at: str = EXPIRES
) -> InviteOrganizationMember:
    return InviteOrganizationMember(
        command_id=COMMAND,
        invitation_id=invitation_id,
        role=OrganizationRole.MEMBER,
        proof_hash=PROOF_HASH,
        expires_at=expires_at,
    )


def accept_organization(proof: str = PROOF) -> AcceptOrganizationInvitation:
    return AcceptOrganizationInvitation(command_id=COMMAND, invitation_id=INVITATION, proof=proof)


def add_team(team_id: str = INVITATION) -> AddTeam:
    return AddTeam(command_id=COMMAND, team_id=team_id, name="Platform")


def organization_settings(
    *enforce: str, remove: tuple[str, ...] = (), release: tuple[str, ...] = (), **chosen: Json
) -> ChangeOrganizationSettings:
    return ChangeOrganizationSettings(
        command_id=COMMAND, set=chosen, remove=list(remove), enforce=list(enforce), release=list(release)
    )


ORGANIZING: tuple[OrganizationCommand, ...] = (
    add_to_organization("zoe"),
    change_organization_role("ben", OrganizationRole.ADMIN),
    remove_from_organization("zed"),
    invite_to_organization(OTHER_INVITATION),
    RevokeOrganizationInvitation(command_id=COMMAND, invitation_id=INVITATION),
    add_team(),
    organization_settings(x=1),
)
"""What only admins of an organization may do."""
