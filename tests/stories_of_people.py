"""Random lives of teams and organizations, as facts that can follow one another."""

import uuid
from collections.abc import Iterator
from random import Random

from events.organization import (
    NoOrganization,
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
from events.organization import evolve as organization_after
from events.roles import OrganizationRole, Role, Tier
from events.team import (
    NoTeam,
    Team,
    TeamCreated,
    TeamEvent,
    TeamInvitationAccepted,
    TeamInvitationRevoked,
    TeamMemberAdded,
    TeamMemberInvited,
    TeamMemberRemoved,
    TeamMemberRoleChanged,
    TeamOrganizationApplied,
    TeamSettingsChanged,
)
from events.team import evolve as team_after

PEOPLE = ("ada", "ben", "cleo", "dora", "emil")
_EXPIRES = "2026-12-31T00:00:00Z"
_NAMES = ("a", "b", "c")


class Told:
    """One random life: of a team or of an organization."""

    def __init__(self, seed: int, organization_id: str | None = None) -> None:
        self.random = Random(seed)
        self.team: NoTeam | Team = NoTeam()
        self.organization: NoOrganization | Organization = NoOrganization()
        self.organization_id = organization_id

    def of_team(self, length: int) -> Iterator[TeamEvent]:
        """What happens to a team."""
        first: TeamEvent = TeamCreated(name="T", admin="ada", organization_id=self.organization_id)
        for event in (first, *(None for _ in range(length))):
            told = event or self._next_of_team()
            self.team = team_after(self.team, told)
            yield told

    def of_organization(self, length: int) -> Iterator[OrganizationEvent]:
        """What happens to an organization."""
        first: OrganizationEvent = OrganizationCreated(name="O", admin="ada")
        for event in (first, *(None for _ in range(length))):
            told = event or self._next_of_organization()
            self.organization = organization_after(self.organization, told)
            yield told

    def invited(self, role: Role = Role.VIEWER) -> TeamMemberInvited:
        """Somebody may join the team."""
        return TeamMemberInvited(
            invitation_id=self._id(), role=role, proof_hash="0" * 64, expires_at=_EXPIRES
        )

    def organization_invited(
        self, role: OrganizationRole = OrganizationRole.MEMBER
    ) -> OrganizationMemberInvited:
        """Somebody may join the organization."""
        return OrganizationMemberInvited(
            invitation_id=self._id(), role=role, proof_hash="0" * 64, expires_at=_EXPIRES
        )

    def team_added(self) -> OrganizationTeamAdded:
        """The organization has one more team."""
        return OrganizationTeamAdded(team_id=self._id(), name="T", admin="ada")

    def _next_of_team(self) -> TeamEvent:
        team = self.team
        assert isinstance(team, Team)
        inside, outside = self._sides(team.people.members)
        role, open_ones = self.random.choice(list(Role)), sorted(team.people.invitations)
        hopes: list[TeamEvent] = [
            self.invited(role),
            TeamSettingsChanged(set={self._name(): self.random.random()}, remove=[self._name()]),
            *(TeamMemberAdded(member=one, role=role) for one in outside),
            *(TeamMemberRoleChanged(member=one, role=role) for one in inside),
            *(TeamMemberRemoved(member=one) for one in inside),
            *(TeamInvitationRevoked(invitation_id=one) for one in open_ones),
        ]
        if open_ones and outside:
            hopes.append(TeamInvitationAccepted(invitation_id=open_ones[0], member=outside[0], role=role))
        if team.organization is not None:
            hopes += [self._applied(team.organization.version)] * 3
        return self.random.choice(hopes)

    def _applied(self, version: int) -> TeamOrganizationApplied:
        defaults = {name: self.random.randrange(3) for name in _NAMES if self.random.random() < 0.5}
        return TeamOrganizationApplied(
            organization_version=version + 1,
            admins=self.random.sample(PEOPLE, 2),
            removed=self.random.sample(PEOPLE, 1),
            defaults={**defaults},
            enforced=[name for name in defaults if self.random.random() < 0.5],
            tier=self.random.choice(list(Tier)),
        )

    def _next_of_organization(self) -> OrganizationEvent:
        state = self.organization
        assert isinstance(state, Organization)
        inside, outside = self._sides(state.people.members)
        role, open_ones = self.random.choice(list(OrganizationRole)), sorted(state.people.invitations)
        name = self._name()
        hopes: list[OrganizationEvent] = [
            self.organization_invited(role),
            self.team_added(),
            OrganizationTierChanged(tier=self.random.choice(list(Tier))),
            OrganizationSettingsChanged(set={name: True}, remove=[], enforce=[name], release=[]),
            OrganizationSettingsChanged(set={}, remove=[name], enforce=[], release=[name]),
            *(OrganizationMemberAdded(member=one, role=role) for one in outside),
            *(OrganizationMemberRoleChanged(member=one, role=role) for one in inside),
            *(OrganizationMemberRemoved(member=one) for one in inside),
            *(OrganizationInvitationRevoked(invitation_id=one) for one in open_ones),
        ]
        if open_ones and outside:
            accepted = {"invitation_id": open_ones[0], "member": outside[0]}
            hopes.append(OrganizationInvitationAccepted(**accepted, role=role))
        return self.random.choice(hopes)

    def _sides(self, members: object) -> tuple[list[str], list[str]]:
        inside = sorted(members)  # type: ignore[call-overload]
        return inside, [one for one in PEOPLE if one not in inside]

    def _name(self) -> str:
        return self.random.choice(_NAMES)

    def _id(self) -> str:
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))
