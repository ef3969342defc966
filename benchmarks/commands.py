"""The commands that the workloads send: patterns of about 1.1 KB of JSON, in sixteen teams."""

import json
import secrets
import time
import uuid
from collections.abc import Callable, Iterable
from functools import cache

from pydantic import SecretStr

from benchmarks.connection import MakeRequest
from events.identifiers import uuid7
from identity.access_tokens import LONGEST_LIFE_S, Claims
from identity.signing import format_of
from identity.token_keys import new_seed
from runtime.settings import Settings

TEAMS = [str(uuid.UUID(int=number)) for number in range(1, 17)]
FILLING = {
    "description": "d" * 250,
    "problem": "p" * 150,
    "bad_example": "b" * 250,
    "good_example": "g" * 250,
    "severity": "low",
    "tags": ["bench"],
}
"""The fields of every pattern but its name."""


@cache
def token_seed() -> str:
    """The seed by which the services take the tokens that the workloads send."""
    return new_seed()


@cache
def bearer(actor: str = "bench") -> dict[str, str]:
    """The header of somebody who sends the workloads: a token that is good for an hour."""
    settings = Settings(_env_file=None, token_keys=SecretStr(token_seed()))
    now = int(time.time())
    claims = Claims(sub=actor, sid=str(uuid.uuid4()), jti=uuid.uuid4().hex, iat=now, exp=now + LONGEST_LIFE_S)
    return {"Authorization": f"Bearer {format_of(settings).sign(claims)}"}


def command_id() -> str:
    """A new one."""
    return uuid7(int(time.time() * 1000), secrets.token_bytes(10))


def create_team() -> dict[str, str]:
    """A command that creates its team."""
    return {"type": "create_team", "command_id": command_id(), "name": "Bench"}


def add_members(members: Iterable[str]) -> dict[str, object]:
    """A command that lets people write to its team."""
    commands = [{"type": "add_member", "member": member, "role": "developer"} for member in members]
    return {"type": "batch", "command_id": command_id(), "commands": commands}


def record_pattern() -> dict[str, object]:
    """A command that records a pattern that no one has."""
    pattern_id = str(uuid.uuid4())
    fields = fields_of_pattern()
    return {"type": "record_pattern", "command_id": command_id(), "pattern_id": pattern_id, "fields": fields}


def fields_of_pattern() -> dict[str, object]:
    """Those of a pattern whose name no one has."""
    return {"name": str(uuid.uuid4()), **FILLING}


def path_of(number: int) -> str:
    """Where the number-th request goes: the teams take turns."""
    return f"/api/v1/teams/{TEAMS[number % len(TEAMS)]}/commands"


def single(path: Callable[[int], str] = path_of) -> MakeRequest:
    """One command a request."""
    return lambda number: (path(number), json.dumps(record_pattern()).encode())


def batch(size: int) -> MakeRequest:
    """So many commands a request."""
    return lambda number: (
        path_of(number),
        json.dumps({"commands": [record_pattern() for _ in range(size)]}).encode(),
    )
