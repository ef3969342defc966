"""Who calls a server whose contract is tested: one who stays, and one who is logged out again and again."""

import uuid
from dataclasses import dataclass
from typing import Any

import httpx

from tests.accounts import PASSWORD
from tests.command_client import create_team, edit, new_id, record_pattern

ENDINGS = {"log_out", "end_sessions", "deactivate", "change_password"}
"""What ends a session, or counts wrong passwords against whoever has it."""
_AUTH = "/api/v1/auth"


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody with an account and a session."""

    username: str
    token: str

    @property
    def authorization(self) -> str:
        return f"Bearer {self.token}"


def register(http: httpx.Client, username: str) -> Person:
    """Somebody new, who is logged in."""
    registration = {"username": username, "email": f"{username}@example.org", "password": PASSWORD}
    made = http.post(f"{_AUTH}/register", json=registration)
    assert made.status_code == 201, made.text
    return Person(username=username, token=log_in(http, username)["access_token"])


def log_in(http: httpx.Client, username: str) -> dict[str, Any]:
    """The tokens of a new session."""
    answer = http.post(f"{_AUTH}/login", json={"username": username, "password": PASSWORD})
    assert answer.status_code == 200, answer.text
    tokens: dict[str, Any] = answer.json()
    return tokens


def library(http: httpx.Client) -> dict[str, str]:
    """Ids of what is there: a team, a pattern, a command, and a conflict."""
    team, pattern = str(uuid.uuid4()), record_pattern(severity="low")
    many = [record_pattern() for _ in range(5)]
    held_up = edit(pattern, 1, severity="critical")
    commands = [create_team(), pattern, *many, edit(pattern, 1, severity="high"), held_up]
    path = f"/api/v1/teams/{team}"
    answer = http.post(f"{path}/commands", json={"commands": commands}).json()
    cursor = answer["outcomes"][-1]["cursor"]
    assert answer["outcomes"][-1]["status"] == "conflict"
    assert http.get(f"{path}/patterns", params={"at_least": cursor, "timeout": 30}).status_code == 200
    return {
        "team_id": team,
        "pattern_id": pattern["pattern_id"],
        "command_id": pattern["command_id"],
        "conflict_id": held_up["command_id"],
    }


def organization(http: httpx.Client) -> str:
    """The id of an organization that can be read."""
    path = f"/api/v1/organizations/{(organization_id := str(uuid.uuid4()))}"
    command = {"type": "create_organization", "command_id": new_id(), "name": "Acme"}
    created = http.post(f"{path}/commands", json=command)
    assert created.status_code == 200, created.text
    params = {"at_least": created.json()["cursor"], "timeout": 30}
    assert http.get(path, params=params).status_code == 200
    return organization_id


def credentials(http: httpx.Client, username: str) -> dict[str, str]:
    """Ids of a session that nobody needs, and of a key."""
    key = http.post(f"{_AUTH}/keys", json={"name": "ci", "right": "viewer"})
    assert key.status_code == 201, key.text
    return {"session_id": log_in(http, username)["session_id"], "key_id": key.json()["key_id"]}
