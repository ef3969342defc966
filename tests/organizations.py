"""Organizations and teams over HTTP, with the processes that answer."""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import httpx

from runtime.settings import Settings
from tests.command_client import new_id
from tests.tokens import bearer
from tests.waiting import eventually


class People:
    """Clients of one command API, one for each person."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    async def send(self, who: str, path: str, kind: str, **members: Any) -> httpx.Response:
        """One command of somebody's to `teams/<id>` or `organizations/<id>`; waits for its outcome."""
        command = {"type": kind, "command_id": members.pop("command_id", None) or new_id(), **members}
        return await self.post(who, f"{path}/commands", command)

    async def post(self, who: str, path: str, body: Any, prefer: str = "wait=20") -> httpx.Response:
        headers = {"Authorization": bearer(who), "Prefer": prefer}
        return await self._http.post(f"/api/v1/{path}", json=body, headers=headers)

    async def get(self, who: str, path: str) -> httpx.Response:
        return await self._http.get(f"/api/v1/{path}", headers={"Authorization": bearer(who)})

    async def organization(self, admin: str = "ada") -> str:
        """The path of a new organization."""
        path = f"organizations/{uuid.uuid4()}"
        created = await self.send(admin, path, "create_organization", name="Acme")
        assert created.status_code == 200, created.text
        return path

    async def add_team(self, organization: str, admin: str = "ada", team_id: str | None = None) -> str:
        """The id of a team that an organization has given itself, which may not be there yet."""
        team_id = team_id or str(uuid.uuid4())
        added = await self.send(admin, organization, "add_team", team_id=team_id, name="Platform")
        assert added.status_code == 200, added.text
        return team_id

    async def can_write(self, who: str, team_id: str) -> bool:
        """Whether somebody can record a pattern in a team now."""
        fields = {"name": uuid.uuid4().hex}
        told = await self.send(
            who, f"teams/{team_id}", "record_pattern", pattern_id=str(uuid.uuid4()), fields=fields
        )
        return told.status_code == 200


@asynccontextmanager
async def people_of(url: str) -> AsyncIterator[People]:
    """Everybody who uses a command API."""
    async with httpx.AsyncClient(base_url=url, timeout=60) as http:
        yield People(http)


async def coordinated(settings: Settings, organization: str, version: int) -> None:
    """Wait until all teams of an organization (by its path) know a version of it."""
    pg = await asyncpg.connect(settings.postgres_dsn.get_secret_value())
    try:

        async def is_done() -> bool:
            statement = "SELECT version FROM coordinated WHERE organization_id = $1"
            return bool((await pg.fetchval(statement, organization.split("/")[1]) or 0) >= version)

        await eventually(is_done)
    finally:
        await pg.close()
