"""Teams: the facts, the state, and how a fact changes the state."""

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
from events.merge_rules import Policy, Rule
from events.roles import Role, Tier
from events.shapes import Ordinal, Person, Uuid

STREAM = "team"

# ---------------------------------------------------------------- events


@checked_dataclass(frozen=True, kw_only=True, slots=True, config=CLOSED)
class TeamCreated:
    """A team, and with it a library, came into being.

    `admin` is its first member; a team of the time before there were members has none. `organization_id`: the
    organization that created it, if one did.
    """

    name: str
    admin: Person | None
    organization_id: Uuid | None


@checked_dataclass(frozen=True, kw_only=True, slots=True, config=CLOSED)
class TeamMergingChanged:
    """How the library merges from now on: its policy, and the rules of its own fields, all of them."""

    policy: Policy
    rules: dict[str, Rule]


@checked_dataclass(frozen=True, kw_only=True, slots=True, config=CLOSED)
class TeamMemberAdded(AboutMember):
    """Somebody belongs to the team from now on."""

    role: Role


@checked_dataclass(frozen=True, kw_only=True, slots=True, config=CLOSED)
class TeamMemberRoleChanged(AboutMember):
    """A member has another role from now on."""

    role: Role


@checked_dataclass(frozen=True, kw_only=True, slots=True, config=CLOSED)
class TeamMemberRemoved(AboutMember):
    """Somebody belongs to the team no longer."""


@checked_dataclass(frozen=True, kw_only=True, slots=True, config=CLOSED)
class TeamMemberInvited(Invited):
    """Whoever knows a secret may join the team in a role."""

    role: Role


@checked_dataclass(frozen=True, kw_only=True, slots=True, config=CLOSED)
class TeamInvitationAccepted(AboutInvitation):
    """Somebody knew the secret, and belongs to the team from now on, in the role of the invitation."""

    member: Person
    role: Role


@checked_dataclass(frozen=True, kw_only=True, slots=True, config=CLOSED)
class TeamInvitationRevoked(AboutInvitation):
    """An invitation was taken back, or had expired."""


@checked_dataclass(frozen=True, kw_only=True, slots=True, config=CLOSED)
class TeamSettingsChanged(SettingsChange):
    """The team chose settings, or left them to its organization again."""


@checked_dataclass(frozen=True, kw_only=True, slots=True, config=CLOSED)
class TeamOrganizationApplied:
    """What the team's organization says of all its teams, as it was at a version of the organization.

    `admins` are admins here, too. `removed` left the organization since what was applied before, and so the
    team. `defaults` hold where the team has not chosen; `enforced` are those of them that it cannot choose.
    """

    organization_version: Ordinal
    admins: list[Person]
    removed: list[Person]
    defaults: dict[str, Json]
    enforced: list[str]
    tier: Tier


TeamEvent = (
    TeamCreated
    | TeamMergingChanged
    | TeamMemberAdded
    | TeamMemberRoleChanged
    | TeamMemberRemoved
    | TeamMemberInvited
    | TeamInvitationAccepted
    | TeamInvitationRevoked
    | TeamSettingsChanged
    | TeamOrganizationApplied
)

# ---------------------------------------------------------------- state


@dataclass(frozen=True, kw_only=True, slots=True)
class NoTeam:
    """Nobody has created the team."""

    version: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Applied:
    """What the team knows of its organization; `version` is the organization's, 0 before anything came."""

    organization_id: str
    version: int = 0
    admins: tuple[str, ...] = ()
    defaults: Mapping[str, Json] = field(default_factory=dict)
    enforced: tuple[str, ...] = ()
    tier: Tier = Tier.FREE


@dataclass(frozen=True, kw_only=True, slots=True)
class Team:
    """A team that owns a library; `rules` are those that it has chosen for fields of its own."""

    version: int
    name: str
    policy: Policy = Policy.MERGE
    rules: Mapping[str, Rule] = field(default_factory=dict)
    people: Membership[Role] = field(default_factory=Membership)
    settings: Mapping[str, Json] = field(default_factory=dict)
    organization: Applied | None = None

    def role_of(self, actor: str) -> Role | None:
        """What somebody is in the team, if anything."""
        if self.organization is not None and actor in self.organization.admins:
            return Role.ADMIN
        return self.people.members.get(actor)

    @property
    def effective_settings(self) -> Mapping[str, Json]:
        """What holds: what the organization enforces, else what the team has chosen, else the default."""
        if self.organization is None:
            return self.settings
        enforced = set(self.organization.enforced)
        own = {name: value for name, value in self.settings.items() if name not in enforced}
        return {**self.organization.defaults, **own}


TeamState = NoTeam | Team

# ---------------------------------------------------------------- evolve


def evolve(state: TeamState, event: TeamEvent) -> Team:
    """The state after one more event; raise `ImpossibleEvent` when it cannot follow."""
    if isinstance(event, TeamCreated):
        if not isinstance(state, NoTeam):
            raise ImpossibleEvent("created twice")
        return _created(event)
    if not isinstance(state, Team):
        raise ImpossibleEvent(f"{type(event).__name__} of no team")
    return replace(_changed(state, event), version=state.version + 1)


def _created(event: TeamCreated) -> Team:
    people: Membership[Role] = Membership()
    organization = None if event.organization_id is None else Applied(organization_id=event.organization_id)
    return Team(
        version=1,
        name=event.name,
        people=people if event.admin is None else people.with_member(event.admin, Role.ADMIN),
        organization=organization,
    )


def _changed(team: Team, event: TeamEvent) -> Team:
    match event:
        case TeamCreated():
            raise ImpossibleEvent("created twice")
        case TeamMergingChanged():
            return replace(team, policy=event.policy, rules=event.rules)
        case TeamSettingsChanged():
            return replace(team, settings=changed_settings(team.settings, event))
        case TeamOrganizationApplied():
            return _applied(team, event)
        case TeamMemberAdded():
            return replace(team, people=team.people.with_member(event.member, event.role))
        case TeamMemberRoleChanged():
            return replace(team, people=team.people.with_role(event.member, event.role))
        case TeamMemberRemoved():
            return replace(team, people=team.people.without_member(event.member))
        case TeamMemberInvited():
            return replace(team, people=team.people.with_invitation(event, event.role))
        case TeamInvitationAccepted():
            left = team.people.without_invitation(event.invitation_id)
            return replace(team, people=left.with_member(event.member, event.role))
        case TeamInvitationRevoked():
            return replace(team, people=team.people.without_invitation(event.invitation_id))
        case _:
            assert_never(event)


def _applied(team: Team, event: TeamOrganizationApplied) -> Team:
    if team.organization is None or event.organization_version <= team.organization.version:
        raise ImpossibleEvent("an organization's word that is not newer, or not of the team's own one")
    organization = Applied(
        organization_id=team.organization.organization_id,
        version=event.organization_version,
        admins=tuple(event.admins),
        defaults=event.defaults,
        enforced=tuple(event.enforced),
        tier=event.tier,
    )
    people = team.people.without_members(frozenset(event.removed))
    return replace(team, people=people, organization=organization)
