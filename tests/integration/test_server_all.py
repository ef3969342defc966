"""`serve all`: one command, one base URL, and nothing left behind."""

import asyncio
import os
import signal
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from runtime.settings import Settings
from server.setup import set_up
from tests.commands import command_id
from tests.databases import fresh_database, settings_for
from tests.everything import Everything, everything
from tests.processes import WITHIN_S, until
from tests.services import Services


@pytest.fixture
async def settings(services: Services) -> AsyncIterator[Settings]:
    async with fresh_database(services) as dsn:
        settings = settings_for(services, dsn)
        await set_up(settings)
        yield settings


def is_gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


async def test_what_is_written_by_the_one_base_url_is_read_by_it(settings: Settings, tmp_path: Path) -> None:
    team_id, pattern_id = str(uuid.uuid4()), str(uuid.uuid4())
    async with everything(settings, tmp_path) as all_:
        assert f"{all_.client.base_url}/docs" in await all_.supervisor.line_with("API docs")
        created = await all_.submit(team_id, {"type": "create_team", "name": "ours"})
        assert (created.status_code, created.json()["status"]) == (200, "accepted")
        recorded = await all_.submit(
            team_id, {"type": "record_pattern", "pattern_id": pattern_id, "fields": {"name": "retry storm"}}
        )
        found = await all_.client.get(
            f"/api/v1/teams/{team_id}/patterns/{pattern_id}", params={"at_least": recorded.json()["cursor"]}
        )
        assert found.json()["fields"] == {"name": "retry storm"}
        assert await all_.supervisor.end(by=signal.SIGTERM) == (0, "")


async def test_sigterm_stops_the_gateway_first_and_leaves_nothing(settings: Settings, tmp_path: Path) -> None:
    async with everything(settings, tmp_path) as all_:
        children = [all_.child(name) for name in ("gateway", "decider", "projector")]
        assert await all_.supervisor.end(by=signal.SIGTERM) == (0, "")
    assert all(map(is_gone, children))
    stops = [event["process"] for event in all_.supervisor.events() if event["event"] == "stopping"]
    assert stops[:2] == ["supervisor", "gateway"]
    assert sorted(stops[2:]) == ["decider", "projector"]


async def test_a_supervisor_that_is_killed_leaves_nothing(settings: Settings, tmp_path: Path) -> None:
    async with everything(settings, tmp_path) as all_:
        children = [all_.child(name) for name in ("gateway", "decider", "projector")]
        all_.supervisor.process.send_signal(signal.SIGKILL)
        await until(lambda: all(map(is_gone, children)))
        with pytest.raises(httpx.ConnectError):
            await all_.client.get("/health/live")


async def test_any_child_may_be_killed_and_what_it_serves_goes_on(settings: Settings, tmp_path: Path) -> None:
    team_id = str(uuid.uuid4())
    async with everything(settings, tmp_path) as all_:
        await all_.submit(team_id, {"type": "create_team", "name": "ours"})
        for count, name in enumerate(("decider", "projector", "gateway"), start=1):
            before = all_.child(name)
            os.kill(before, signal.SIGKILL)
            while all_.child(name) == before:
                await all_.supervisor.next_line()
            fields = {"name": f"pattern {count}"}
            command = {"type": "record_pattern", "pattern_id": str(uuid.uuid4()), "fields": fields}
            answer = await submit_until_answered(all_, team_id, command)
            assert answer["status"] == "accepted"
            seen = await all_.client.get(
                f"/api/v1/teams/{team_id}/changes", params={"at_least": answer["cursor"], "timeout": 30}
            )
            assert len(seen.json()["changes"]) == count
        code, errors = await all_.supervisor.end(by=signal.SIGTERM)
        assert code == 0
        # Python says so of what the killed gateway's pool of passwords had no time to give back.
        assert [line for line in errors.splitlines() if "resource_tracker" not in line and line.strip()] == []


async def submit_until_answered(all_: Everything, team_id: str, command: dict[str, Any]) -> dict[str, Any]:
    """Send the same command again until it has an outcome, as clients do."""
    command = {"command_id": command_id(), **command}
    async with asyncio.timeout(WITHIN_S):
        while True:
            try:
                response = await all_.submit(team_id, command)
            except httpx.TransportError:
                await asyncio.sleep(0.1)
                continue
            if response.status_code == 200:
                answer: dict[str, Any] = response.json()
                return answer
