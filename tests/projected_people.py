"""A team of an organization in the read models, with somebody of each role, and what they are answered."""

import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from events.cursor import Cursor
from events.organization import STREAM as ORGANIZATION
from events.organization import (
    OrganizationCreated,
    OrganizationEvent,
    OrganizationMemberAdded,
    OrganizationMemberInvited,
    OrganizationSettingsChanged,
    OrganizationTeamAdded,
    OrganizationTierChanged,
)
from events.pattern import PatternRecorded
from events.roles import OrganizationRole, Role, Tier
from events.team import STREAM as TEAM
from events.team import (
    TeamCreated,
    TeamEvent,
    TeamMemberAdded,
    TeamMemberInvited,
    TeamOrganizationApplied,
    TeamSettingsChanged,
)
from tests.audits import AuditedLog, audited_log
from tests.libraries import ReadApi
from tests.tokens import bearer

EXPIRES = "2026-12-31T00:00:00Z"
SECRET = "5" * 64
"""What proofs of invitations are compared with; no answer but the log as written shows it."""
ROLES = {"ada": "admin", "dev": "developer", "vic": "viewer", "aud": "auditor", "eve": None}
"""Who is what; Olga is an admin of the organization."""


@dataclass(frozen=True, kw_only=True)
class People:
    """A team of an organization, in which there is one of each role."""

    api: ReadApi
    log: AuditedLog
    team_id: str
    organization_id: str

    @property
    def team(self) -> str:
        return f"/api/v1/teams/{self.team_id}"

    @property
    def organization(self) -> str:
        return f"/api/v1/organizations/{self.organization_id}"

    async def tell(self, *events: TeamEvent) -> str:
        """Let something happen to the team; the cursor after it."""
        sequence = 0
        for event in events:
            (record,) = self.log.events.command(self.team_id, (TEAM, event))
            sequence = int(record.headers["ce_sequence"])
        await self.log.project()
        return str(Cursor(log_id=self.api.log_id, team_id=self.team_id, sequence=sequence))

    async def ask(self, who: str, url: str, **asked: Any) -> tuple[int, Mapping[str, Any]]:
        """The answer to somebody."""
        headers = {"Authorization": bearer(who)}
        answer = await self.api.client.get(url, params=asked or None, headers=headers)
        is_json = "json" in answer.headers["content-type"] and "ndjson" not in answer.headers["content-type"]
        return answer.status_code, answer.json() if is_json else {}

    async def code(self, who: str, url: str, **asked: Any) -> str:
        """The status, and the code of a problem."""
        status, body = await self.ask(who, url, **asked)
        return f"{status} {body['code']}" if status >= 400 else str(status)


async def new_people(api: ReadApi) -> People:
    """A team of seven events and one pattern, and its organization of six."""
    log = await audited_log(api, time.monotonic_ns())
    found = People(api=api, log=log, team_id=log.events.new_id(), organization_id=log.events.new_id())
    for event in _organization(found.team_id):
        log.events.command(found.organization_id, (ORGANIZATION, event))
    await found.tell(*_team(found.organization_id))
    log.events.pattern(found.team_id, PatternRecorded(fields={"name": "n"}))
    await log.project()
    return found


def _organization(team_id: str) -> list[OrganizationEvent]:
    member = OrganizationRole.MEMBER
    return [
        OrganizationCreated(name="Org", admin="olga"),
        OrganizationMemberAdded(member="ada", role=member),
        OrganizationTeamAdded(team_id=team_id, name="Team", admin="ada"),
        OrganizationSettingsChanged(set={"x": 1, "y": [2]}, remove=[], enforce=["x"], release=[]),
        OrganizationTierChanged(tier=Tier.TEAM),
        OrganizationMemberInvited(invitation_id=_id(), role=member, proof_hash=SECRET, expires_at=EXPIRES),
    ]


def _team(organization_id: str) -> list[TeamEvent]:
    others = [(one, Role(role)) for one, role in ROLES.items() if role is not None and one != "ada"]
    applied = TeamOrganizationApplied(
        organization_version=5,
        admins=["olga"],
        removed=[],
        defaults={"x": 1, "y": [2]},
        enforced=["x"],
        tier=Tier.TEAM,
    )
    return [
        TeamCreated(name="Team", admin="ada", organization_id=organization_id),
        *(TeamMemberAdded(member=one, role=role) for one, role in others),
        applied,
        TeamMemberInvited(invitation_id=_id(), role=Role.VIEWER, proof_hash=SECRET, expires_at=EXPIRES),
        TeamSettingsChanged(set={"x": 9, "z": "own"}, remove=[]),
    ]


def _id() -> str:
    return str(uuid.uuid4())
