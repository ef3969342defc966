"""An example of each command and of each outcome, for OpenAPI alone: one team's first days."""

from collections.abc import Mapping
from typing import Any

from events.cursor import Cursor
from events.json_text import Json

LOG = "019b76da-a800-7000-8000-00000000000f"
ORGANIZATION = "019b76da-a800-7a11-9c0a-000000000a5b"
INVITATION = "0e6f5d4c-3b2a-4190-8f7e-6d5c4b3a2910"
BEN = "5f0c6a7e-8d1b-4c2e-9f3a-1b2c3d4e5f60"
TEAM = "019b76da-a800-7a11-9c0a-5a1d2e3f4a5b"
PATTERN = "3d1b0c64-6f0e-4a54-9a0e-1d2c3b4a5f60"
OTHER_PATTERN = "9b1d2e3f-0b5d-4c1e-9a77-2f6b8d0e4c11"
COMMAND = "019b76de-5180-7b1c-9c0a-5a1d2e3f4a5b"
HELD_UP = "019b76df-0a00-7b1c-9c0a-5a1d2e3f4a5b"
IMPORT = "019b76e0-0000-7c1c-9c0a-5a1d2e3f4a5b"
CURSOR = str(Cursor(log_id=LOG, team_id=TEAM, sequence=7))
RECORDED_AT = "2026-03-03T09:30:00.125Z"
FIELDS = {"name": "Retry storm", "severity": "high", "solution": "Back off\nand add jitter", "tags": ["io"]}


def _on(kind: str, **members: Json) -> dict[str, Json]:
    return {"type": kind, "command_id": COMMAND, "pattern_id": PATTERN, **members}


def _invite(kind: str, role: str) -> dict[str, Json]:
    return {
        "type": kind,
        "command_id": COMMAND,
        "invitation_id": INVITATION,
        "role": role,
        "proof_hash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "expires_at": "2026-03-10T09:30:00Z",
    }


def _accept(kind: str) -> dict[str, Json]:
    proof = "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"
    return {"type": kind, "command_id": COMMAND, "invitation_id": INVITATION, "proof": proof}


COMMANDS: Mapping[str, Json] = {
    "create_team": {"type": "create_team", "command_id": COMMAND, "name": "Platform"},
    "set_merging": {
        "type": "set_merging",
        "command_id": COMMAND,
        "policy": "reject",
        "rules": {"hits": "counters"},
    },
    "add_member": {"type": "add_member", "command_id": COMMAND, "member": BEN, "role": "developer"},
    "change_member_role": {
        "type": "change_member_role",
        "command_id": COMMAND,
        "member": BEN,
        "role": "viewer",
    },
    "remove_member": {"type": "remove_member", "command_id": COMMAND, "member": BEN},
    "invite_member": _invite("invite_member", "developer"),
    "accept_invitation": _accept("accept_invitation"),
    "revoke_invitation": {
        "type": "revoke_invitation",
        "command_id": COMMAND,
        "invitation_id": INVITATION,
    },
    "change_settings": {
        "type": "change_settings",
        "command_id": COMMAND,
        "set": {"review_days": 14},
        "remove": ["review_owner"],
    },
    "record_pattern": _on("record_pattern", fields=FIELDS, occurred_at="2026-03-03T09:29:58Z"),
    "edit_pattern": _on("edit_pattern", base_version=1, set={"severity": "high"}, remove=["hits"]),
    "resolve_conflict": _on(
        "resolve_conflict", conflict_id=HELD_UP, take={"severity": "mine"}, rest="theirs"
    ),
    "abandon_conflict": _on("abandon_conflict", conflict_id=HELD_UP),
    "archive_pattern": _on("archive_pattern", base_version=2),
    "restore_pattern": _on("restore_pattern"),
    "delete_pattern": _on("delete_pattern", base_version=2),
    "batch": {
        "type": "batch",
        "command_id": COMMAND,
        "commands": [
            {"type": "record_pattern", "pattern_id": OTHER_PATTERN, "fields": {"name": "Race"}},
            {"type": "archive_pattern", "pattern_id": OTHER_PATTERN, "base_command": COMMAND},
        ],
    },
}
"""By type."""
ORGANIZATION_COMMANDS: Mapping[str, Json] = {
    "create_organization": {"type": "create_organization", "command_id": COMMAND, "name": "Acme"},
    "add_organization_member": {
        "type": "add_organization_member",
        "command_id": COMMAND,
        "member": BEN,
        "role": "member",
    },
    "change_organization_role": {
        "type": "change_organization_role",
        "command_id": COMMAND,
        "member": BEN,
        "role": "admin",
    },
    "remove_organization_member": {
        "type": "remove_organization_member",
        "command_id": COMMAND,
        "member": BEN,
    },
    "invite_organization_member": _invite("invite_organization_member", "member"),
    "accept_organization_invitation": _accept("accept_organization_invitation"),
    "revoke_organization_invitation": {
        "type": "revoke_organization_invitation",
        "command_id": COMMAND,
        "invitation_id": INVITATION,
    },
    "add_team": {"type": "add_team", "command_id": COMMAND, "team_id": TEAM, "name": "Platform"},
    "change_organization_settings": {
        "type": "change_organization_settings",
        "command_id": COMMAND,
        "set": {"review_days": 30},
        "enforce": ["review_days"],
    },
    "batch": {
        "type": "batch",
        "command_id": COMMAND,
        "commands": [
            {"type": "add_organization_member", "member": BEN, "role": "member"},
            {"type": "add_team", "team_id": TEAM, "name": "Platform"},
        ],
    },
}
"""By type."""
MANY_TO_ORGANIZATION = {
    "commands": [
        ORGANIZATION_COMMANDS["add_team"],
        {**ORGANIZATION_COMMANDS["remove_organization_member"], "command_id": HELD_UP},
    ]
}
MANY = {"commands": [COMMANDS["record_pattern"], {**COMMANDS["edit_pattern"], "command_id": HELD_UP}]}

_DONE = {"command_id": COMMAND, "recorded_at": RECORDED_AT, "repeat": False}
ACCEPTED = {
    **_DONE,
    "status": "accepted",
    "pattern_id": PATTERN,
    "version": 2,
    "sequence": 7,
    "cursor": CURSOR,
}
MERGED = {**ACCEPTED, "status": "merged", "version": 3}
CONFLICT = {
    **ACCEPTED,
    "status": "conflict",
    "code": "edit_conflict",
    "detail": "fields of the edit clash with what others wrote since its base",
    "conflict": {"conflict_id": COMMAND, "current_version": 2, "fields": ["severity"]},
}
OF_A_BATCH = {
    **_DONE,
    "status": "accepted",
    "sequence": 8,
    "outcomes": [
        {"status": "accepted", "pattern_id": OTHER_PATTERN, "version": 1, "sequence": 7},
        {"status": "accepted", "pattern_id": OTHER_PATTERN, "version": 2, "sequence": 8},
    ],
    "cursor": CURSOR,
}
REJECTED = {
    **_DONE,
    "status": "rejected",
    "code": "name_taken",
    "detail": 'another live pattern has the name "Retry storm"',
}
PENDING = {
    "command_id": COMMAND,
    "status": "pending",
    "url": f"/api/v1/teams/{TEAM}/commands/{COMMAND}",
}
CHANGED = {**_DONE, "status": "accepted", "version": 4, "sequence": 7, "cursor": CURSOR}
TOKEN = f"inv_{TEAM}.{INVITATION}.{'x' * 43}"
INVITED = {"invitation_id": INVITATION, "token": TOKEN, "expires_at": "2026-03-17T09:30:00.125Z"}
_INVALID = {
    "index": 1,
    "status": "invalid",
    "code": "invalid_field",
    "detail": "name: a pattern needs a name",
    "pointer": "/patterns/1/name",
}
_ROWS = [{"index": 0, **ACCEPTED}, _INVALID]
IMPORTED = {"import_id": IMPORT, "dry_run": False, "counts": {"accepted": 1, "invalid": 1}, "rows": _ROWS}
DRY = {
    **IMPORTED,
    "dry_run": True,
    "counts": {"valid": 1, "invalid": 1},
    "rows": [{"index": 0, "status": "valid"}, _INVALID],
}
UNFINISHED = {
    **IMPORTED,
    "counts": {"pending": 1},
    "rows": [{"index": 0, "pattern_id": PATTERN, **PENDING}],
}
MEMBER_ROWS = [
    {"action": "add", "username": "ben", "role": "member", "team_id": TEAM, "team_role": "developer"},
    {"action": "remove", "member": BEN},
]
MEMBER_CSV = f"action,email,team_id,team_role\nadd,ben@example.org,{TEAM},viewer\n"
MEMBERS_DONE = {
    "batch_id": IMPORT,
    "counts": {"accepted": 1, "invalid": 1},
    "rows": [
        {
            "index": 0,
            "member": BEN,
            "status": "accepted",
            "outcomes": [{"organization_id": ORGANIZATION, **CHANGED}, {"team_id": TEAM, **CHANGED}],
        },
        {"index": 1, "status": "invalid", "code": "unknown_user", "detail": "nobody has this name"},
    ],
}
MEMBERS_PENDING = {
    "batch_id": IMPORT,
    "counts": {"pending": 1},
    "rows": [
        {
            "index": 0,
            "member": BEN,
            "status": "pending",
            "outcomes": [{"team_id": TEAM, **PENDING}],
        }
    ],
}
FILE = '{"name":"Retry storm","severity":"high"}\n{"name":"Race","tags":["concurrency"]}\n'


def named(**values: Json) -> dict[str, Any]:
    """Values as OpenAPI lists examples."""
    return {name: {"value": value} for name, value in values.items()}
