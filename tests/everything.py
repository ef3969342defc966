"""`serve all` under test: the whole backend behind one base URL."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from runtime.settings import Settings
from tests.commands import command_id
from tests.databases import variables_of
from tests.processes import Running, running
from tests.tokens import bearer


@dataclass(kw_only=True)
class Everything:
    """What `serve all` runs."""

    supervisor: Running
    client: httpx.AsyncClient

    def child(self, name: str) -> int:
        """The process id of a child's last start."""
        starts = [event for event in self.supervisor.events() if event["event"] == "child started"]
        return next(int(event["pid"]) for event in reversed(starts) if event["child"] == name)

    async def submit(self, team_id: str, command: dict[str, Any]) -> httpx.Response:
        body = {"command_id": command_id(), **command}
        return await self.client.post(f"/api/v1/teams/{team_id}/commands", json=body)


@asynccontextmanager
async def everything(settings: Settings, folder: Path) -> AsyncIterator[Everything]:
    """`serve all`, once it says that it is ready."""
    async with running(["-m", "server", "serve", "all"], folder, variables_of(settings)) as supervisor:
        said = await supervisor.line_with("Patternlog is ready at ")
        headers = {"Authorization": bearer("ada")}
        async with httpx.AsyncClient(base_url=said.split()[-1], headers=headers, timeout=60) as client:
            yield Everything(supervisor=supervisor, client=client)
