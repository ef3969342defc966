"""What a team has to be told of its organization: pure, and the same however often it is asked."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from command_api.decisions.team_commands import ApplyOrganization, OpenTeam
from events.identifiers import uuid7
from events.organization import Organization

_DAY_MS = 24 * 60 * 60 * 1000
_OLDEST_MS = int(timedelta(days=29).total_seconds() * 1000)
"""A command whose id is older than 30 days is refused."""

Telling = OpenTeam | ApplyOrganization


class Standing(StrEnum):
    """How a team stands to what its organization says."""

    KNOWS = "knows"
    BEHIND = "behind"
    FOREIGN = "foreign"
    """It is there, and is not a team of this organization, whatever the organization says."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TeamKnowledge:
    """Whose team it is, and the version of the organization that it knows."""

    organization_id: str | None
    version: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """An organization at its newest version, whose event was recorded then (in milliseconds since 1970).

    `cause` tells that event from all that could have come in its place.
    """

    organization_id: str
    organization: Organization
    recorded_ms: int
    cause: str


def standing_of(source: Source, team: TeamKnowledge | None) -> Standing:
    """How a team stands; None: there is no such team yet."""
    if team is None:
        return Standing.BEHIND
    if team.organization_id != source.organization_id:
        return Standing.FOREIGN
    return Standing.KNOWS if team.version >= source.organization.version else Standing.BEHIND


def tellings(source: Source, team_id: str, team: TeamKnowledge | None, now_ms: int) -> list[Telling]:
    """The commands that let a team know, in order."""
    applied = 0 if team is None else team.version
    telling = [_apply(source, team_id, applied, now_ms)]
    return [_open(source, team_id, now_ms), *telling] if team is None else [*telling]


def _open(source: Source, team_id: str, now_ms: int) -> OpenTeam:
    team = source.organization.teams[team_id]
    return OpenTeam(
        command_id=command_id(source, team_id, OpenTeam.type, now_ms),
        name=team.name,
        organization_id=source.organization_id,
        admin=team.admin,
    )


def _apply(source: Source, team_id: str, applied: int, now_ms: int) -> ApplyOrganization:
    organization = source.organization
    since = max(applied, organization.teams[team_id].since)
    return ApplyOrganization(
        command_id=command_id(source, team_id, ApplyOrganization.type, now_ms),
        organization_id=source.organization_id,
        organization_version=organization.version,
        admins=organization.admins,
        removed=removed_after(since, organization.removed),
        defaults=dict(organization.settings),
        enforced=list(organization.enforced),
        tier=organization.tier,
    )


def removed_after(version: int, removed: Mapping[str, int]) -> list[str]:
    """Who left after a version, sorted."""
    return sorted(member for member, at in removed.items() if at > version)


def command_id(source: Source, team_id: str, kind: str, now_ms: int) -> str:
    """The same id for the same thing told, so that a repeat is harmless.

    None but the organization's admins can know it beforehand: who does could send something else to the team
    under it, and what the organization says would be refused. What happened too long ago for a command's id
    is told as of the beginning of this day.
    """
    is_recent = now_ms - source.recorded_ms < _OLDEST_MS
    at_ms = source.recorded_ms if is_recent else now_ms - now_ms % _DAY_MS
    name = f"{kind} {source.organization_id} {source.organization.version} {source.cause} {team_id}"
    return uuid7(at_ms, hashlib.sha256(name.encode()).digest()[:10])


def sorted_by_standing(
    source: Source, known: Mapping[str, TeamKnowledge], team_ids: Iterable[str]
) -> dict[Standing, list[str]]:
    """The teams by how they stand."""
    found: dict[Standing, list[str]] = {standing: [] for standing in Standing}
    for team_id in team_ids:
        found[standing_of(source, known.get(team_id))].append(team_id)
    return found
