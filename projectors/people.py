"""People: teams and organizations, their members, invitations and settings, as their states say."""

from collections.abc import Mapping

from events.organization import STREAM as ORGANIZATION_STREAM
from events.organization import Organization
from events.roles import Role, Tier
from events.stream import StreamState
from events.team import STREAM as TEAM_STREAM
from events.team import Team
from projectors.json_rows import json_text
from projectors.rows import Row
from projectors.schema import people
from projectors.state_rows import StateTable

_NONE: Mapping[Row, Row] = {}


def _team(state: StreamState | None) -> Mapping[Row, Row]:
    if not isinstance(state, Team):
        return _NONE
    applied = state.organization
    organization_id, tier = (None, Tier.FREE) if applied is None else (applied.organization_id, applied.tier)
    return {(): (state.version, state.name, organization_id, tier.value)}


def _members(state: StreamState | None) -> Mapping[Row, Row]:
    """The organization's admins are admins, whatever else they are in the team."""
    if not isinstance(state, Team):
        return _NONE
    own: dict[Row, Row] = {(member,): (role.value, "team") for member, role in state.people.members.items()}
    admins = () if state.organization is None else state.organization.admins
    return {**own, **{(admin,): (Role.ADMIN.value, "organization") for admin in admins}}


def _settings(state: StreamState | None) -> Mapping[Row, Row]:
    if not isinstance(state, Team):
        return _NONE
    return {
        (name,): (json_text(value), _source(state, name)) for name, value in state.effective_settings.items()
    }


def _source(team: Team, name: str) -> str:
    if team.organization is not None and name in team.organization.enforced:
        return "enforced"
    return "team" if name in team.settings else "default"


def _invitations(state: StreamState | None) -> Mapping[Row, Row]:
    if not isinstance(state, Team | Organization):
        return _NONE
    stream = TEAM_STREAM if isinstance(state, Team) else ORGANIZATION_STREAM
    return {
        (stream, invitation_id): (invitation.role.value, invitation.expires_at)
        for invitation_id, invitation in state.people.invitations.items()
    }


def _organization(state: StreamState | None) -> Mapping[Row, Row]:
    if not isinstance(state, Organization):
        return _NONE
    return {(): (state.version, state.name, state.tier.value)}


def _organization_members(state: StreamState | None) -> Mapping[Row, Row]:
    if not isinstance(state, Organization):
        return _NONE
    return {(member,): (role.value,) for member, role in state.people.members.items()}


def _organization_teams(state: StreamState | None) -> Mapping[Row, Row]:
    if not isinstance(state, Organization):
        return _NONE
    return {(team_id,): (team.name,) for team_id, team in state.teams.items()}


def _organization_settings(state: StreamState | None) -> Mapping[Row, Row]:
    if not isinstance(state, Organization):
        return _NONE
    return {(name,): (json_text(value), name in state.enforced) for name, value in state.settings.items()}


OF_TEAMS = (
    StateTable(table=people.teams, rows=_team),
    StateTable(table=people.members, rows=_members),
    StateTable(table=people.settings, rows=_settings),
)
OF_ORGANIZATIONS = (
    StateTable(table=people.organizations, rows=_organization),
    StateTable(table=people.organization_members, rows=_organization_members),
    StateTable(table=people.organization_teams, rows=_organization_teams),
    StateTable(table=people.organization_settings, rows=_organization_settings),
)
OF_BOTH = (StateTable(table=people.invitations, rows=_invitations),)
PEOPLE = (*OF_TEAMS, *OF_ORGANIZATIONS, *OF_BOTH)
