"""Organizations: the facts, the state, and how a fact changes the state."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import assert_never

from pydantic.dataclasses import dataclass as checked_dataclass

from events.errors import ImpossibleEvent
from events.json_text import Json
from events.membership import (
    CLOSED,
    AboutInvitation,
    AboutMember,
    Invited,
    Membership,
    SettingsChange,
    changed_settings,
)
from events.roles import OrganizationRole, Tier
from events.shapes import Person, Uuid

STREAM = "organization"

# ---------------------------------------------------------------- events


@checked_dataclass(frozen=True, kw_only=True, slots=True, config=CLOSED)
class OrganizationCreated:
    """An organization came into being; `admin` is its first member."""

    name: str
    admin: Person


@checked_dataclass(frozen=True, kw_only=True, slots=True, config=CLOSED)
class OrganizationMemberAdded(AboutMember):
    """Somebody belongs to the organization from now on."""

    role: OrganizationRole


@checked_dataclass(frozen=True, kw_only=True, slots=True, config=CLOSED)
class OrganizationMemberRoleChanged(AboutMember):
    """A member has another role from now on."""

    role: OrganizationRole


@checked_dataclass(frozen=True, kw_only=True, slots=True, config=CLOSED)
class OrganizationMemberRemoved(AboutMember):
    """Somebody belongs no longer to the organization, nor to its teams."""


@checked_dataclass(frozen=True, kw_only=True, slots=True, config=CLOSED)
class OrganizationMemberInvited(Invited):
    """Whoever knows a secret may join the organization in a role."""

    role: OrganizationRole


@checked_dataclass(frozen=True, kw_only=True, slots=True, config=CLOSED)
class OrganizationInvitationAccepted(AboutInvitation):
    """Somebody knew the secret, and belongs to the organization from now on."""

    member: Person
    role: OrganizationRole


@checked_dataclass(frozen=True, kw_only=True, slots=True, config=CLOSED)
class OrganizationInvitationRevoked(AboutInvitation):
    """An invitation was taken back, or had expired."""


@checked_dataclass(frozen=True, kw_only=True, slots=True, config=CLOSED)
class OrganizationTeamAdded:
    """The organization has one more team, whose first admin is `admin`; the team's own log begins with it."""

    team_id: Uuid
    name: str
    admin: Person


@checked_dataclass(frozen=True, kw_only=True, slots=True, config=CLOSED)
class OrganizationSettingsChanged(SettingsChange):
    """Settings for all teams: defaults, and those that are enforced from now on, or released."""

    enforce: list[str]
    release: list[str]


@checked_dataclass(frozen=True, kw_only=True, slots=True, config=CLOSED)
class OrganizationTierChanged:
    """The organization has subscribed to something else."""

    tier: Tier


OrganizationEvent = (
    OrganizationCreated
    | OrganizationMemberAdded
    | OrganizationMemberRoleChanged
    | OrganizationMemberRemoved
    | OrganizationMemberInvited
    | OrganizationInvitationAccepted
    | OrganizationInvitationRevoked
    | OrganizationTeamAdded
    | OrganizationSettingsChanged
    | OrganizationTierChanged
)

# ---------------------------------------------------------------- state


@dataclass(frozen=True, kw_only=True, slots=True)
class NoOrganization:
    """Nobody has created the organization."""

    version: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class OrganizationTeam:
    """A team of an organization, and the organization's version that added it."""

    name: str
    admin: str
    since: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Organization:
    """An organization; `removed` tells at which version somebody left, if they ever did."""

    version: int
    name: str
    tier: Tier = Tier.FREE
    people: Membership[OrganizationRole] = field(default_factory=Membership)
    removed: Mapping[str, int] = field(default_factory=dict)
    teams: Mapping[str, OrganizationTeam] = field(default_factory=dict)
    settings: Mapping[str, Json] = field(default_factory=dict)
    enforced: tuple[str, ...] = ()

    @property
    def admins(self) -> list[str]:
        """The admins, who are admins of every team, too; sorted."""
        roles = self.people.members.items()
        return sorted(member for member, role in roles if role is OrganizationRole.ADMIN)


OrganizationState = NoOrganization | Organization

# ---------------------------------------------------------------- evolve


def evolve(state: OrganizationState, event: OrganizationEvent) -> Organization:
    """The state after one more event; raise `ImpossibleEvent` when it cannot follow."""
    if isinstance(event, OrganizationCreated):
        if not isinstance(state, NoOrganization):
            raise ImpossibleEvent("created twice")
        people: Membership[OrganizationRole] = Membership()
        admin = people.with_member(event.admin, OrganizationRole.ADMIN)
        return Organization(version=1, name=event.name, people=admin)
    if not isinstance(state, Organization):
        raise ImpossibleEvent(f"{type(event).__name__} of no organization")
    return replace(_changed(state, event), version=state.version + 1)


def _changed(before: Organization, event: OrganizationEvent) -> Organization:
    people = before.people
    match event:
        case OrganizationCreated():
            raise ImpossibleEvent("created twice")
        case OrganizationMemberAdded():
            return replace(before, people=people.with_member(event.member, event.role))
        case OrganizationMemberRoleChanged():
            return replace(before, people=people.with_role(event.member, event.role))
        case OrganizationMemberRemoved():
            removed = {**before.removed, event.member: before.version + 1}
            return replace(before, people=people.without_member(event.member), removed=removed)
        case OrganizationMemberInvited():
            return replace(before, people=people.with_invitation(event, event.role))
        case OrganizationInvitationAccepted():
            left = people.without_invitation(event.invitation_id)
            return replace(before, people=left.with_member(event.member, event.role))
        case OrganizationInvitationRevoked():
            return replace(before, people=people.without_invitation(event.invitation_id))
        case OrganizationTeamAdded():
            if event.team_id in before.teams:
                raise ImpossibleEvent("a team twice")
            added = OrganizationTeam(name=event.name, admin=event.admin, since=before.version + 1)
            return replace(before, teams={**before.teams, event.team_id: added})
        case OrganizationSettingsChanged():
            return _with_settings(before, event)
        case OrganizationTierChanged():
            return replace(before, tier=event.tier)
        case _:
            assert_never(event)


def _with_settings(before: Organization, event: OrganizationSettingsChanged) -> Organization:
    settings = changed_settings(before.settings, event)
    enforced = ({*before.enforced} | {*event.enforce}) - {*event.release}
    if not enforced <= settings.keys():
        raise ImpossibleEvent("a setting is enforced that has no value")
    return replace(before, settings=settings, enforced=tuple(sorted(enforced)))
