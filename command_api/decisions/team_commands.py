"""Commands that change a team: its members, its settings, how its library merges."""

from typing import Annotated, Any, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from command_api.decisions.command_shapes import (
    CLOSED,
    CommandBase,
    Digest,
    Few,
    Id,
    InvalidCommand,
    Member,
    SettingNames,
    TeamName,
    Time,
    check_settings,
    pointer_to,
)
from command_api.decisions.pattern_fields import FIELD_NAME_RULE, is_field_name
from command_api.decisions.refusals import Refusal
from events.merge_rules import KNOWN_RULES, Policy, Rule
from events.roles import Role, Tier


@dataclass(frozen=True, kw_only=True, config=CLOSED)
class CreateTeam(CommandBase):
    """Create the team that the command is sent to, and its empty library; its sender is its first admin."""

    type: Literal["create_team"] = "create_team"
    name: TeamName


@dataclass(frozen=True, kw_only=True, config=CLOSED)
class SetMerging(CommandBase):
    """Choose how the library merges: its policy, and the rules of fields of its own (null: the default)."""

    type: Literal["set_merging"] = "set_merging"
    policy: Policy | None = None
    rules: Annotated[dict[str, Rule | None], Few, Field(default_factory=dict)]


@dataclass(frozen=True, kw_only=True, config=CLOSED)
class AddMember(CommandBase):
    """Let somebody who has an account belong to the team; those without one are invited."""

    type: Literal["add_member"] = "add_member"
    member: Member
    role: Role


@dataclass(frozen=True, kw_only=True, config=CLOSED)
class ChangeMemberRole(CommandBase):
    """Give a member another role."""

    type: Literal["change_member_role"] = "change_member_role"
    member: Member
    role: Role


@dataclass(frozen=True, kw_only=True, config=CLOSED)
class RemoveMember(CommandBase):
    """Remove a member, or leave."""

    type: Literal["remove_member"] = "remove_member"
    member: Member


@dataclass(frozen=True, kw_only=True, config=CLOSED)
class InviteMember(CommandBase):
    """Let whoever knows a secret join in a role. `proof_hash` is the SHA-256 of their proof, in hex."""

    type: Literal["invite_member"] = "invite_member"
    invitation_id: Id
    role: Role
    proof_hash: Digest
    expires_at: Time


@dataclass(frozen=True, kw_only=True, config=CLOSED)
class AcceptInvitation(CommandBase):
    """Join the team: `proof` is the SHA-256 of the invitation's secret, in hex."""

    type: Literal["accept_invitation"] = "accept_invitation"
    invitation_id: Id
    proof: Digest


@dataclass(frozen=True, kw_only=True, config=CLOSED)
class RevokeInvitation(CommandBase):
    """Take an invitation back."""

    type: Literal["revoke_invitation"] = "revoke_invitation"
    invitation_id: Id


@dataclass(frozen=True, kw_only=True, config=CLOSED)
class ChangeSettings(CommandBase):
    """Choose settings for the team, or leave them to its organization again."""

    type: Literal["change_settings"] = "change_settings"
    set: Annotated[dict[str, Any], Field(default_factory=dict)]
    remove: Annotated[SettingNames, Field(default_factory=list)]


@dataclass(frozen=True, kw_only=True, config=CLOSED)
class OpenTeam(CommandBase):
    """Create the team of an organization; only the service itself sends it."""

    type: Literal["open_team"] = "open_team"
    name: TeamName
    organization_id: Id
    admin: Member


@dataclass(frozen=True, kw_only=True, config=CLOSED)
class ApplyOrganization(CommandBase):
    """Let hold in the team what its organization says at a version; only the service itself sends it."""

    type: Literal["apply_organization"] = "apply_organization"
    organization_id: Id
    organization_version: Annotated[int, Field(ge=1, strict=True)]
    admins: list[Member]
    removed: list[Member]
    defaults: dict[str, Any]
    enforced: SettingNames
    tier: Tier


TeamCommand = (
    CreateTeam
    | SetMerging
    | AddMember
    | ChangeMemberRole
    | RemoveMember
    | InviteMember
    | AcceptInvitation
    | RevokeInvitation
    | ChangeSettings
    | OpenTeam
    | ApplyOrganization
)


def check_team_command(command: TeamCommand) -> None:
    """Raise `InvalidCommand` for what the shape of a team's command does not say."""
    match command:
        case SetMerging():
            _check_merging(command)
        case ChangeSettings():
            check_settings(command.set, command.remove, (command.set, command.remove))
        case _:
            pass


def _check_merging(command: SetMerging) -> None:
    if command.policy is None and not command.rules:
        raise InvalidCommand(Refusal.MALFORMED_COMMAND, "it sets a policy or a rule", "/policy")
    for name in command.rules:
        if not is_field_name(name):
            raise InvalidCommand(Refusal.INVALID_FIELD, FIELD_NAME_RULE, pointer_to("rules", name))
        if name in KNOWN_RULES:
            detail = f"{name}: a known field has the same rule in every library"
            raise InvalidCommand(Refusal.INVALID_FIELD, detail, pointer_to("rules", name))
