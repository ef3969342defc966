"""Commands that change an organization: its members, its teams, what holds in all of them."""

from typing import Annotated, Any, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from command_api.decisions.command_shapes import (
    CLOSED,
    CommandBase,
    Digest,
    Id,
    Member,
    SettingNames,
    TeamName,
    Time,
    check_settings,
)
from events.roles import OrganizationRole, Tier


@dataclass(frozen=True, kw_only=True, config=CLOSED)
class CreateOrganization(CommandBase):
    """Create the organization that the command is sent to; its sender is its first admin."""

    type: Literal["create_organization"] = "create_organization"
    name: TeamName


@dataclass(frozen=True, kw_only=True, config=CLOSED)
class AddOrganizationMember(CommandBase):
    """Let somebody who has an account belong to the organization; those without one are invited."""

    type: Literal["add_organization_member"] = "add_organization_member"
    member: Member
    role: OrganizationRole


@dataclass(frozen=True, kw_only=True, config=CLOSED)
class ChangeOrganizationRole(CommandBase):
    """Give a member another role."""

    type: Literal["change_organization_role"] = "change_organization_role"
    member: Member
    role: OrganizationRole


@dataclass(frozen=True, kw_only=True, config=CLOSED)
class RemoveOrganizationMember(CommandBase):
    """Remove a member from the organization and all its teams, or leave."""

    type: Literal["remove_organization_member"] = "remove_organization_member"
    member: Member


@dataclass(frozen=True, kw_only=True, config=CLOSED)
class InviteOrganizationMember(CommandBase):
    """Let whoever knows a secret join in a role. `proof_hash` is the SHA-256 of their proof, in hex."""

    type: Literal["invite_organization_member"] = "invite_organization_member"
    invitation_id: Id
    role: OrganizationRole
    proof_hash: Digest
    expires_at: Time


@dataclass(frozen=True, kw_only=True, config=CLOSED)
class AcceptOrganizationInvitation(CommandBase):
    """Join the organization: `proof` is the SHA-256 of the invitation's secret, in hex."""

    type: Literal["accept_organization_invitation"] = "accept_organization_invitation"
    invitation_id: Id
    proof: Digest


@dataclass(frozen=True, kw_only=True, config=CLOSED)
class RevokeOrganizationInvitation(CommandBase):
    """Take an invitation back."""

    type: Literal["revoke_organization_invitation"] = "revoke_organization_invitation"
    invitation_id: Id


@dataclass(frozen=True, kw_only=True, config=CLOSED)
class AddTeam(CommandBase):
    """Give the organization one more team; its sender is the team's first admin."""

    type: Literal["add_team"] = "add_team"
    team_id: Id
    name: TeamName


@dataclass(frozen=True, kw_only=True, config=CLOSED)
class ChangeOrganizationSettings(CommandBase):
    """Set defaults for all teams, and say which of them no team can override (`release` undoes that)."""

    type: Literal["change_organization_settings"] = "change_organization_settings"
    set: Annotated[dict[str, Any], Field(default_factory=dict)]
    remove: Annotated[SettingNames, Field(default_factory=list)]
    enforce: Annotated[SettingNames, Field(default_factory=list)]
    release: Annotated[SettingNames, Field(default_factory=list)]


@dataclass(frozen=True, kw_only=True, config=CLOSED)
class ChangeTier(CommandBase):
    """Say what the organization has subscribed to; only the service itself sends it."""

    type: Literal["change_tier"] = "change_tier"
    tier: Tier


OrganizationCommand = (
    CreateOrganization
    | AddOrganizationMember
    | ChangeOrganizationRole
    | RemoveOrganizationMember
    | InviteOrganizationMember
    | AcceptOrganizationInvitation
    | RevokeOrganizationInvitation
    | AddTeam
    | ChangeOrganizationSettings
    | ChangeTier
)


def check_organization_command(command: OrganizationCommand) -> None:
    """Raise `InvalidCommand` for what the shape of an organization's command does not say."""
    if isinstance(command, ChangeOrganizationSettings):
        given = (command.set, command.remove, command.enforce, command.release)
        check_settings(command.set, command.remove, given)
