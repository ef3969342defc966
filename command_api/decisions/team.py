"""Decisions on teams."""

from typing import assert_never

from command_api.decisions.authority import unknown_team
from command_api.decisions.library import LibraryView
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
from command_api.decisions.team_commands import (
    AcceptInvitation,
    AddMember,
    ApplyOrganization,
    ChangeMemberRole,
    ChangeSettings,
    CreateTeam,
    InviteMember,
    OpenTeam,
    RemoveMember,
    RevokeInvitation,
    SetMerging,
    TeamCommand,
)
from events.membership import changed_settings
from events.organization import NoOrganization
from events.roles import Role
from events.team import (
    NoTeam,
    Team,
    TeamCreated,
    TeamInvitationAccepted,
    TeamInvitationRevoked,
    TeamMemberAdded,
    TeamMemberInvited,
    TeamMemberRemoved,
    TeamMemberRoleChanged,
    TeamMergingChanged,
    TeamOrganizationApplied,
    TeamSettingsChanged,
)

MAX_RULES = 100
MAX_MEMBERS = 1_000


def decide(library: LibraryView, command: TeamCommand, sender: Sender) -> Decision:
    """What becomes of a command that changes a team."""
    if isinstance(command, CreateTeam | OpenTeam):
        return _create(library, command, sender)
    if isinstance(library.team, NoTeam):
        return unknown_team()
    return _change(library.team, command, sender)


def _create(library: LibraryView, command: CreateTeam | OpenTeam, sender: Sender) -> Decision:
    if not isinstance(library.team, NoTeam):
        return Rejected(code=Refusal.TEAM_EXISTS, detail="the team was created before")
    if not isinstance(library.organization, NoOrganization):
        return Rejected(code=Refusal.ORGANIZATION_EXISTS, detail="an organization has this id")
    if isinstance(command, CreateTeam):
        return Accepted(events=(TeamCreated(name=command.name, admin=sender.actor, organization_id=None),))
    created = TeamCreated(name=command.name, admin=command.admin, organization_id=command.organization_id)
    return Accepted(events=(created,))


def _change(team: Team, command: TeamCommand, sender: Sender) -> Decision:
    match command:
        case SetMerging():
            return _set_merging(team, command)
        case ChangeSettings():
            return _change_settings(team, command)
        case AddMember():
            return _add(team, command)
        case ChangeMemberRole() | RemoveMember():
            return _change_member(team, command)
        case InviteMember():
            return _invite(team, command, sender)
        case AcceptInvitation():
            return _accept(team, command, sender)
        case RevokeInvitation():
            if command.invitation_id not in team.people.invitations:
                return unknown_invitation()
            return Accepted(events=(TeamInvitationRevoked(invitation_id=command.invitation_id),))
        case ApplyOrganization():
            return _apply(team, command)
        case CreateTeam() | OpenTeam():
            raise TypeError("a team is created where there is none")
        case _:
            assert_never(command)


def _set_merging(team: Team, command: SetMerging) -> Decision:
    rules = {name: rule for name, rule in {**team.rules, **command.rules}.items() if rule is not None}
    if len(rules) > MAX_RULES:
        detail = f"a library has at most {MAX_RULES} rules of its own"
        return Rejected(code=Refusal.TOO_LARGE, detail=detail)
    return Accepted(events=(TeamMergingChanged(policy=command.policy or team.policy, rules=rules),))


def _change_settings(team: Team, command: ChangeSettings) -> Decision:
    enforced = {} if team.organization is None else team.organization.enforced
    for name in (*command.set, *command.remove):
        if name in enforced:
            detail = f"{name}: the organization enforces this setting"
            return Rejected(code=Refusal.SETTING_ENFORCED, detail=detail)
    for name in command.remove:
        if name not in team.settings:
            return Rejected(code=Refusal.UNKNOWN_SETTING, detail=f"{name}: the team has not chosen that")
    event = TeamSettingsChanged(set=command.set, remove=command.remove)
    return settings_too_large(changed_settings(team.settings, event)) or Accepted(events=(event,))


def _add(team: Team, command: AddMember) -> Decision:
    if command.member in team.people.members:
        return member_exists()
    if len(team.people.members) >= MAX_MEMBERS:
        return full(MAX_MEMBERS)
    return Accepted(events=(TeamMemberAdded(member=command.member, role=command.role),))


def _change_member(team: Team, command: ChangeMemberRole | RemoveMember) -> Decision:
    if command.member not in team.people.members:
        return unknown_member()
    stays_admin = isinstance(command, ChangeMemberRole) and command.role is Role.ADMIN
    if not stays_admin and _is_last_admin(team, command.member):
        return last_admin()
    if isinstance(command, RemoveMember):
        return Accepted(events=(TeamMemberRemoved(member=command.member),))
    return Accepted(events=(TeamMemberRoleChanged(member=command.member, role=command.role),))


def _is_last_admin(team: Team, member: str) -> bool:
    if team.organization is not None and team.organization.admins:
        return False
    return is_last_admin(team.people, member, Role.ADMIN)


def _invite(team: Team, command: InviteMember, sender: Sender) -> Decision:
    bad = bad_invitation(team.people, command.invitation_id, command.expires_at, sender)
    if bad is not None:
        return bad
    # What has expired is cleared away here, so that the state holds no more than can be open.
    over = [TeamInvitationRevoked(invitation_id=key) for key in expired(team.people, sender)]
    invited = TeamMemberInvited(
        invitation_id=command.invitation_id,
        role=command.role,
        proof_hash=command.proof_hash,
        expires_at=command.expires_at,
    )
    return Accepted(events=(*over, invited))


def _accept(team: Team, command: AcceptInvitation, sender: Sender) -> Decision:
    invitation = taken_up(team.people, command.invitation_id, command.proof, sender)
    if isinstance(invitation, Rejected):
        return invitation
    if len(team.people.members) >= MAX_MEMBERS:
        return full(MAX_MEMBERS)
    accepted = TeamInvitationAccepted(
        invitation_id=command.invitation_id, member=sender.actor, role=invitation.role
    )
    return Accepted(events=(accepted,))


def _apply(team: Team, command: ApplyOrganization) -> Decision:
    known = team.organization
    if known is None or known.organization_id != command.organization_id:
        return Rejected(code=Refusal.FORBIDDEN, detail="the team is not one of this organization")
    if command.organization_version <= known.version:
        detail = f"version {known.version} of the organization was applied before"
        return Rejected(code=Refusal.STALE_ORGANIZATION, detail=detail)
    applied = TeamOrganizationApplied(
        organization_version=command.organization_version,
        admins=command.admins,
        removed=command.removed,
        defaults=command.defaults,
        enforced=command.enforced,
        tier=command.tier,
    )
    return Accepted(events=(applied,))
