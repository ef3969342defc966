"""Who may send which command: decided in the log's own order, so that what was taken away is gone.

docs/roles.md has the table.
"""

from typing import assert_never

from command_api.decisions.commands import PatternCommand, SingleCommand
from command_api.decisions.library import LibraryView
from command_api.decisions.organization_commands import (
    AcceptOrganizationInvitation,
    ChangeTier,
    CreateOrganization,
    OrganizationCommand,
    RemoveOrganizationMember,
)
from command_api.decisions.refusals import Refusal, Rejected
from command_api.decisions.sender import Sender
from command_api.decisions.team_commands import (
    AcceptInvitation,
    ApplyOrganization,
    CreateTeam,
    OpenTeam,
    RemoveMember,
    TeamCommand,
)
from events.organization import NoOrganization, Organization
from events.roles import OrganizationRole, Right, Role, allows
from events.team import NoTeam, Team


def refusal_of(library: LibraryView, command: SingleCommand, sender: Sender) -> Rejected | None:
    """Why the sender may not do that, if they may not. To strangers, what is there is not."""
    if sender.is_system:
        return None
    if isinstance(command, OpenTeam | ApplyOrganization | ChangeTier):
        return _forbidden("only the service itself sends this command")
    if isinstance(command, CreateTeam | CreateOrganization | AcceptInvitation | AcceptOrganizationInvitation):
        return _good_for_all(sender)
    if isinstance(command, OrganizationCommand):
        return _in_organization(library.organization, command, sender)
    return _in_team(library.team, command, sender)


def unknown_team() -> Rejected:
    """The refusal of every command to a team that is not there."""
    return Rejected(code=Refusal.UNKNOWN_TEAM, detail="nobody has created this team")


def unknown_organization() -> Rejected:
    """The refusal of every command to an organization that is not there."""
    return Rejected(code=Refusal.UNKNOWN_ORGANIZATION, detail="nobody has created this organization")


def _in_team(team: NoTeam | Team, command: TeamCommand | PatternCommand, sender: Sender) -> Rejected | None:
    role = None if isinstance(team, NoTeam) else team.role_of(sender.actor)
    if role is None:
        return unknown_team()
    if isinstance(command, RemoveMember) and command.member == sender.actor:
        return _good_for_all(sender)
    right = Right.WRITE if isinstance(command, PatternCommand) else Right.MANAGE
    if not allows(role, right, sender.at_most):
        return _forbidden(_needs(right, role, sender))
    return None


def _needs(right: Right, role: Role, sender: Sender) -> str:
    if allows(role, right):
        return f"the credential is good for what a {sender.at_most} may do; this needs the right to {right}"
    return f"a {role} has no right to {right}"


def _in_organization(
    organization: NoOrganization | Organization, command: OrganizationCommand, sender: Sender
) -> Rejected | None:
    members = {} if isinstance(organization, NoOrganization) else organization.people.members
    role = members.get(sender.actor)
    match role:
        case None:
            return unknown_organization()
        case OrganizationRole.ADMIN:
            return _good_for_all(sender)
        case OrganizationRole.MEMBER:
            if isinstance(command, RemoveOrganizationMember) and command.member == sender.actor:
                return _good_for_all(sender)
            return _forbidden("only admins of the organization may do that")
        case _:
            assert_never(role)


def _good_for_all(sender: Sender) -> Rejected | None:
    """Some things are for people, or for credentials that are as good as they are."""
    if sender.at_most in (None, Role.ADMIN):
        return None
    return _forbidden(f"the credential is good for what a {sender.at_most} may do in a team")


def _forbidden(detail: str) -> Rejected:
    return Rejected(code=Refusal.FORBIDDEN, detail=detail)
