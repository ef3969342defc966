"""What an event of a team or an organization puts where, as an audit tells it: fields by name."""

from collections.abc import Mapping
from typing import assert_never

from events.json_text import Json
from events.membership import Membership
from events.organization import (
    Organization,
    OrganizationCreated,
    OrganizationEvent,
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
from events.roles import OrganizationRole, Role
from events.stream import StreamState
from events.team import (
    Team,
    TeamCreated,
    TeamEvent,
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

Fields = Mapping[str, Json]


def written_by(event: TeamEvent | OrganizationEvent) -> Fields:
    """The fields that an event sets, by name: `members/ada` is what Ada is, `settings/x` a setting."""
    match event:
        case TeamCreated() | OrganizationCreated():
            first = {} if event.admin is None else _member(event.admin, "admin")
            return {"name": event.name, **first}
        case TeamMergingChanged():
            return {"policy": event.policy, "rules": event.rules}
        case (
            TeamMemberAdded()
            | TeamMemberRoleChanged()
            | TeamInvitationAccepted()
            | OrganizationMemberAdded()
            | OrganizationMemberRoleChanged()
            | OrganizationInvitationAccepted()
        ):
            return _member(event.member, event.role)
        case (
            TeamMemberRemoved()
            | OrganizationMemberRemoved()
            | TeamInvitationRevoked()
            | OrganizationInvitationRevoked()
        ):
            return {}
        case TeamMemberInvited() | OrganizationMemberInvited():
            return {f"invitations/{event.invitation_id}": event.role}
        case TeamSettingsChanged() | OrganizationSettingsChanged():
            return {f"settings/{name}": value for name, value in event.set.items()}
        case TeamOrganizationApplied():
            return _applied(event.admins, event.defaults, event.enforced, event.tier)
        case OrganizationTeamAdded():
            return {f"teams/{event.team_id}": event.name}
        case OrganizationTierChanged():
            return {"tier": event.tier}
        case _:
            assert_never(event)


def written_before(state: StreamState | None, event: TeamEvent | OrganizationEvent) -> Fields:
    """What was where an event sets or removes something, with the same names."""
    known = _shown(state)
    taken = {**written_by(event), **dict.fromkeys(_removed_by(event))}
    return {name: known[name] for name in taken if name in known}


def _removed_by(event: TeamEvent | OrganizationEvent) -> list[str]:
    match event:
        case TeamMemberRemoved() | OrganizationMemberRemoved():
            return [f"members/{event.member}"]
        case TeamInvitationRevoked() | OrganizationInvitationRevoked():
            return [f"invitations/{event.invitation_id}"]
        case TeamInvitationAccepted() | OrganizationInvitationAccepted():
            return [f"invitations/{event.invitation_id}"]
        case TeamSettingsChanged() | OrganizationSettingsChanged():
            return [f"settings/{name}" for name in event.remove]
        case TeamOrganizationApplied():
            return [f"members/{member}" for member in event.removed]
        case _:
            return []


def _shown(state: StreamState | None) -> Fields:
    match state:
        case Team():
            merging = {"policy": state.policy, "rules": state.rules}
            applied = state.organization
            told = (
                {}
                if applied is None
                else _applied(list(applied.admins), applied.defaults, list(applied.enforced), applied.tier)
            )
            return {**merging, **told, **_people(state.people), **_settings(state.settings)}
        case Organization():
            teams = {f"teams/{team_id}": team.name for team_id, team in state.teams.items()}
            return {"tier": state.tier, **teams, **_people(state.people), **_settings(state.settings)}
        case _:
            return {}


def _applied(admins: list[str], defaults: Fields, enforced: list[str], tier: str) -> Fields:
    return {
        "organization/admins": admins,
        "organization/defaults": defaults,
        "organization/enforced": enforced,
        "organization/tier": tier,
    }


def _member(member: str, role: str) -> Fields:
    return {f"members/{member}": role}


def _people(people: Membership[Role] | Membership[OrganizationRole]) -> Fields:
    members = {f"members/{member}": role for member, role in people.members.items()}
    invited = {f"invitations/{key}": one.role for key, one in people.invitations.items()}
    return {**members, **invited}


def _settings(settings: Fields) -> Fields:
    return {f"settings/{name}": value for name, value in settings.items()}
