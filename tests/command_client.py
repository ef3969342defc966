"""A client of one team, and the processes that answer it: a command API, a decider and a projector."""

import asyncio
import json
import secrets
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import asyncpg
import httpx
from pydantic import SecretStr

from devstack.services import Services as ServiceProcesses
from events.identifiers import uuid7
from runtime.settings import Settings
from tests.tokens import bearer
from tests.waiting import eventually


@contextmanager
def answering(settings: Settings) -> Iterator[ServiceProcesses]:
    """The processes, on a log of their own."""
    given = settings.model_dump(include=settings.model_fields_set)
    plain = {name: v.get_secret_value() if isinstance(v, SecretStr) else v for name, v in given.items()}
    with ServiceProcesses({f"PATTERNLOG_{name.upper()}": str(v) for name, v in plain.items()}) as started:
        started.set_up()
        started.start("command-api", "decider", "projector")
        yield started


class Team:
    """A client of one team."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http
        self.url = f"/api/v1/teams/{uuid.uuid4()}/commands"

    async def send(self, body: Any, prefer: str | list[str] = "wait=20") -> httpx.Response:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = [("Prefer", value) for value in ([prefer] if isinstance(prefer, str) else prefer)]
        return await self.http.post(self.url, content=content, headers=headers)

    async def send_many(self, *commands: dict[str, Any]) -> list[dict[str, Any]]:
        response = await self.send({"commands": commands})
        assert response.status_code == 200, response.text
        outcomes: list[dict[str, Any]] = response.json()["outcomes"]
        return outcomes

    async def look_up(self, command: dict[str, Any]) -> httpx.Response:
        return await self.http.get(f"{self.url}/{command['command_id']}")


class Library:
    """One pattern, what is in Postgres of it, and a decider that can be made to forget."""

    def __init__(self, team: Team, processes: ServiceProcesses, pg: asyncpg.Connection) -> None:
        self.team = team
        self.pattern = record_pattern(x=1, y=1, solution="a\nb\nc\nd\ne")
        self._processes = processes
        self._pg = pg

    async def outcome(self, command: dict[str, Any]) -> Any:
        """A command's outcome, whatever it is."""
        body = (await self.team.send(command)).json()
        return body.get("outcome", body)

    async def outcomes(self, *commands: dict[str, Any]) -> list[tuple[str, str | None]]:
        """Status and code of each of many commands."""
        return [(each["status"], each.get("code")) for each in await self.team.send_many(*commands)]

    async def forget(self, version: int) -> None:
        """Let the decider start anew, once the read models are at a version of the pattern."""
        await self.fields(version)
        decider = self._processes.process("decider")
        await asyncio.to_thread(decider.kill)
        await asyncio.to_thread(decider.start)

    async def fields(self, version: int) -> Any:
        """The pattern's fields at a version, when it is projected."""
        found: list[str] = []

        async def is_projected() -> bool:
            found[:] = [row["item"] for row in await self._rows(version)]
            return found != []

        await eventually(is_projected)
        return json.loads(found[0])["fields"]

    async def _rows(self, version: int) -> list[asyncpg.Record]:
        statement = "SELECT item FROM history WHERE pattern_id = $1 AND version = $2"
        rows: list[asyncpg.Record] = await self._pg.fetch(statement, self.pattern["pattern_id"], version)
        return rows


@asynccontextmanager
async def created_team(processes: ServiceProcesses) -> AsyncIterator[Team]:
    """A team that exists."""
    headers = {"Authorization": bearer("ann")}
    url = processes.url("command-api")
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=60) as http:
        created = Team(http)
        assert (await created.send(create_team())).status_code == 200
        yield created


def new_id(ahead_ms: int = 0) -> str:
    return uuid7(int(time.time() * 1000) + ahead_ms, secrets.token_bytes(10))


def create_team(ahead_ms: int = 0) -> dict[str, Any]:
    return {"type": "create_team", "command_id": new_id(ahead_ms), "name": "Team"}


def record_pattern(**fields: Any) -> dict[str, Any]:
    return {
        "type": "record_pattern",
        "command_id": new_id(),
        "pattern_id": str(uuid.uuid4()),
        "fields": {"name": uuid.uuid4().hex, **fields},
    }


def edit(pattern: dict[str, Any], base_version: int, **fields: Any) -> dict[str, Any]:
    return {
        "type": "edit_pattern",
        "command_id": new_id(),
        "pattern_id": pattern["pattern_id"],
        "base_version": base_version,
        "set": fields,
    }


def after(pattern: dict[str, Any], base: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """An edit on top of an own earlier command."""
    changed = {**edit(pattern, 1, **fields), "base_command": base["command_id"]}
    return {name: value for name, value in changed.items() if name != "base_version"}


def on(pattern: dict[str, Any], kind: str, **members: Any) -> dict[str, Any]:
    return {"type": kind, "command_id": new_id(), "pattern_id": pattern["pattern_id"], **members}


def set_merging(**members: Any) -> dict[str, Any]:
    return {"type": "set_merging", "command_id": new_id(), **members}


def batch(*commands: dict[str, Any]) -> dict[str, Any]:
    members = [{name: value for name, value in each.items() if name != "command_id"} for each in commands]
    return {"type": "batch", "command_id": new_id(), "commands": members}
