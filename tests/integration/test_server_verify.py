"""`patternlog verify` tells whether the read models are what the log says."""

import signal
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text

from runtime.postgres import create_engine
from runtime.settings import Settings
from server.setup import set_up
from tests.databases import fresh_database, settings_for, variables_of
from tests.everything import Everything, everything
from tests.processes import running
from tests.services import Services


@pytest.fixture
async def settings(services: Services) -> AsyncIterator[Settings]:
    async with fresh_database(services) as dsn:
        settings = settings_for(services, dsn)
        await set_up(settings)
        yield settings


async def verified(settings: Settings, folder: Path) -> tuple[int, str]:
    """The exit code of `patternlog verify`, and what it says."""
    async with running(["-m", "server", "verify"], folder, variables_of(settings)) as process:
        code, _ = await process.end()
    return code, "".join(process.lines)


async def record(all_: Everything, team_id: str, name: str) -> str:
    command = {"type": "record_pattern", "pattern_id": str(uuid.uuid4()), "fields": {"name": name}}
    return str((await all_.submit(team_id, command)).json()["cursor"])


async def write_two_patterns(settings: Settings, folder: Path) -> str:
    team_id = str(uuid.uuid4())
    async with everything(settings, folder) as all_:
        await all_.submit(team_id, {"type": "create_team", "name": "ours"})
        cursors = [await record(all_, team_id, name) for name in ("a", "b")]
        await all_.client.get(f"/api/v1/teams/{team_id}/changes", params={"at_least": cursors[-1]})
        await all_.supervisor.end(by=signal.SIGTERM)
    return team_id


async def test_equal_tables_are_said_to_be_and_a_changed_row_is_found(
    settings: Settings, tmp_path: Path
) -> None:
    team_id = await write_two_patterns(settings, tmp_path)
    code, said = await verified(settings, tmp_path)
    assert (code, "The read models are what the log says." in said) == (0, True)
    assert "Read 3 events and 3 outcomes" in said

    engine = create_engine(settings, "test")
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE patterns SET name = 'forged' WHERE name = 'b'"))
    await engine.dispose()
    code, said = await verified(settings, tmp_path)
    assert code == 3
    assert "differ from the log in 1 places" in said
    assert f"Team {team_id}: wrong from sequence 3 on." in said


async def test_a_database_that_is_not_migrated_is_one_line(services: Services, tmp_path: Path) -> None:
    async with fresh_database(services) as dsn:
        settings = settings_for(services, dsn)
        async with running(["-m", "server", "verify"], tmp_path, variables_of(settings)) as process:
            code, errors = await process.end()
    assert code == 2
    assert "run `patternlog setup`" in errors
