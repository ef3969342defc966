"""An example of each answer about people and settings, for OpenAPI alone."""

from collections.abc import Mapping

from events.cursor import Cursor
from events.json_text import Json

LOG = "019b76da-a800-7000-8000-00000000000f"
TEAM = "019b76da-a800-7a11-9c0a-5a1d2e3f4a5b"
ORGANIZATION = "019b76da-a800-7a11-9c0a-000000000a5b"
ADA = "6f1c8a52-7a0e-4c63-9d0f-3a9a52f1c0de"
BEN = "5f0c6a7e-8d1b-4c2e-9f3a-1b2c3d4e5f60"
_SINCE = "2026-03-03T09:30:00.125Z"
_OF_TEAM = {"next_page": None, "cursor": str(Cursor(log_id=LOG, team_id=TEAM, sequence=9))}
_OF_ORGANIZATION = {"next_page": None, "cursor": str(Cursor(log_id=LOG, team_id=ORGANIZATION, sequence=5))}


def _told(sequence: int, **members: Json) -> dict[str, Json]:
    return {**members, "sequence": sequence, "since": _SINCE}


_CHANGE = {
    "version": 6,
    "sequence": 8,
    "type": "team.settings_changed.v1",
    "actor": ADA,
    "command_id": "019b76de-5180-7b1c-9c0a-5a1d2e3f4a5b",
    "recorded_at": _SINCE,
    "data": {"set": {"review_days": 14}, "remove": []},
    "before": {"review_days": 30},
}
_INVITATION = _told(
    4,
    invitation_id="0e6f5d4c-3b2a-4190-8f7e-6d5c4b3a2910",
    role="viewer",
    expires_at="2026-03-10T09:30:00Z",
)

EXAMPLES: Mapping[str, Json] = {
    "MembersPage": {
        "members": [
            _told(3, member=BEN, role="developer", source="team"),
            _told(2, member=ADA, role="admin", source="organization"),
        ],
        **_OF_TEAM,
    },
    "OrganizationMembersPage": {
        "members": [_told(1, member=ADA, role="admin")],
        **_OF_ORGANIZATION,
    },
    "InvitationsPage": {"invitations": [_INVITATION], **_OF_TEAM},
    "SettingsPage": {
        "settings": [_told(8, name="review_days", value=14, source="team")],
        **_OF_TEAM,
    },
    "OrganizationSettingsPage": {
        "settings": [_told(4, name="review_days", value=30, enforced=True)],
        **_OF_ORGANIZATION,
    },
    "SettingsHistoryPage": {"changes": [_CHANGE], **_OF_TEAM},
    "OrganizationTeamsPage": {
        "teams": [_told(3, team_id=TEAM, name="Platform")],
        **_OF_ORGANIZATION,
    },
    "MyTeamsPage": {
        "teams": [{"team_id": TEAM, "name": "Platform", "role": "admin", "organization_id": ORGANIZATION}],
        "next_page": None,
    },
    "MyOrganizationsPage": {
        "organizations": [
            {"organization_id": ORGANIZATION, "name": "Acme", "role": "admin", "tier": "enterprise"}
        ],
        "next_page": None,
    },
    "OrganizationDocument": _told(
        5,
        organization_id=ORGANIZATION,
        name="Acme",
        tier="enterprise",
        version=5,
        cursor=_OF_ORGANIZATION["cursor"],
    ),
}
"""By the name of the answer's shape."""
