"""Decisions on organizations."""

from typing import assert_never

from command_api.decisions.authority import unknown_organization
from command_api.decisions.library import LibraryView
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
from command_api.decisions.people import (
    bad_invitation,
    expired,
    full,
    is_last_admin,
    last_admin,
    member_exists,
    settings_too_large,
    taken_up,
    unknown_invitation,
    unknown_member,
)
from command_api.decisions.refusals import Accepted, Decision, Refusal, Rejected
from command_api.decisions.sender import Sender
from events.membership import changed_settings
from events.organization import (
    NoOrganization,
    Organization,
    OrganizationCreated,
    OrganizationInvitationAccepted,
    OrganizationInvitationRevoked,
    OrganizationMemberAdded,
    OrganizationMemberInvited,
    OrganizationMemberRemoved,
    OrganizationMemberRoleChanged,
    OrganizationSettingsChanged,
    OrganizationTeamAdded,
    OrganizationTierChanged,
)
from events.roles import OrganizationRole
from events.team import NoTeam

MAX_PEOPLE = 5_000
"""Members, and those who have left: teams have to be told of both."""
MAX_ADMINS = 100
MAX_TEAMS = 1_000


def decide(library: LibraryView, command: OrganizationCommand, sender: Sender) -> Decision:
    """What becomes of a command that changes an organization."""
    if isinstance(command, CreateOrganization):
        return _create(library, command, sender)
    if isinstance(library.organization, NoOrganization):
        return unknown_organization()
    return _change(library.organization, command, sender)


def _create(library: LibraryView, command: CreateOrganization, sender: Sender) -> Decision:
    if not isinstance(library.organization, NoOrganization):
        return Rejected(code=Refusal.ORGANIZATION_EXISTS, detail="the organization was created before")
    if not isinstance(library.team, NoTeam):
        return Rejected(code=Refusal.TEAM_EXISTS, detail="a team has this id")
    return Accepted(events=(OrganizationCreated(name=command.name, admin=sender.actor),))


def _change(before: Organization, command: OrganizationCommand, sender: Sender) -> Decision:
    match command:
        case AddOrganizationMember():
            if command.member in before.people.members:
                return member_exists()
            added = OrganizationMemberAdded(member=command.member, role=command.role)
            return _too_many(before, command.role) or Accepted(events=(added,))
        case ChangeOrganizationRole() | RemoveOrganizationMember():
            return _change_member(before, command)
        case InviteOrganizationMember():
            return _invite(before, command, sender)
        case AcceptOrganizationInvitation():
            return _accept(before, command, sender)
        case RevokeOrganizationInvitation():
            if command.invitation_id not in before.people.invitations:
                return unknown_invitation()
            return Accepted(events=(OrganizationInvitationRevoked(invitation_id=command.invitation_id),))
        case AddTeam():
            return _add_team(before, command, sender)
        case ChangeOrganizationSettings():
            return _change_settings(before, command)
        case ChangeTier():
            return Accepted(events=(OrganizationTierChanged(tier=command.tier),))
        case CreateOrganization():
            raise TypeError("an organization is created where there is none")
        case _:
            assert_never(command)


def _too_many(before: Organization, role: OrganizationRole) -> Rejected | None:
    if len({*before.people.members, *before.removed}) >= MAX_PEOPLE:
        return full(MAX_PEOPLE)
    return _too_many_admins(before, role)


def _too_many_admins(before: Organization, role: OrganizationRole) -> Rejected | None:
    if role is OrganizationRole.ADMIN and len(before.admins) >= MAX_ADMINS:
        return Rejected(code=Refusal.TOO_LARGE, detail=f"an organization has at most {MAX_ADMINS} admins")
    return None


def _change_member(
    before: Organization, command: ChangeOrganizationRole | RemoveOrganizationMember
) -> Decision:
    role = before.people.members.get(command.member)
    if role is None:
        return unknown_member()
    new_role = command.role if isinstance(command, ChangeOrganizationRole) else None
    if new_role is not OrganizationRole.ADMIN and is_last_admin(
        before.people, command.member, OrganizationRole.ADMIN
    ):
        return last_admin()
    if new_role is None:
        return Accepted(events=(OrganizationMemberRemoved(member=command.member),))
    changed = OrganizationMemberRoleChanged(member=command.member, role=new_role)
    too_many = None if role is new_role else _too_many_admins(before, new_role)
    return too_many or Accepted(events=(changed,))


def _invite(before: Organization, command: InviteOrganizationMember, sender: Sender) -> Decision:
    bad = bad_invitation(before.people, command.invitation_id, command.expires_at, sender)
    if bad is not None:
        return bad
    over = [OrganizationInvitationRevoked(invitation_id=key) for key in expired(before.people, sender)]
    invited = OrganizationMemberInvited(
        invitation_id=command.invitation_id,
        role=command.role,
        proof_hash=command.proof_hash,
        expires_at=command.expires_at,
    )
    return Accepted(events=(*over, invited))


def _accept(before: Organization, command: AcceptOrganizationInvitation, sender: Sender) -> Decision:
    invitation = taken_up(before.people, command.invitation_id, command.proof, sender)
    if isinstance(invitation, Rejected):
        return invitation
    accepted = OrganizationInvitationAccepted(
        invitation_id=command.invitation_id, member=sender.actor, role=invitation.role
    )
    return _too_many(before, invitation.role) or Accepted(events=(accepted,))


def _add_team(before: Organization, command: AddTeam, sender: Sender) -> Decision:
    if command.team_id in before.teams:
        return Rejected(code=Refusal.TEAM_EXISTS, detail="the organization has this team")
    if len(before.teams) >= MAX_TEAMS:
        return Rejected(code=Refusal.TOO_LARGE, detail=f"an organization has at most {MAX_TEAMS} teams")
    added = OrganizationTeamAdded(team_id=command.team_id, name=command.name, admin=sender.actor)
    return Accepted(events=(added,))


def _change_settings(before: Organization, command: ChangeOrganizationSettings) -> Decision:
    event = OrganizationSettingsChanged(
        set=command.set, remove=command.remove, enforce=command.enforce, release=command.release
    )
    settings = changed_settings(before.settings, event)
    for name in command.remove:
        if name not in before.settings:
            return Rejected(code=Refusal.UNKNOWN_SETTING, detail=f"{name}: the organization has no such one")
    for name in ({*before.enforced} | {*command.enforce}) - {*command.release}:
        if name not in settings:
            detail = f"{name}: a setting that is enforced has a value"
            return Rejected(code=Refusal.UNKNOWN_SETTING, detail=detail)
    return settings_too_large(settings) or Accepted(events=(event,))
