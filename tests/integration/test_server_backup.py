"""A log is exported, and lives on elsewhere: nothing is lost, nothing doubled, nobody is misled."""

import subprocess
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest
from pydantic import SecretStr
from sqlalchemy import make_url

from devstack.postgres_programs import postgres_program
from migrations.run import upgrade
from projectors.forgetting import forget_projections
from projectors.verify import verify
from runtime.log_setup import check_log
from runtime.settings import Settings
from server.backup.export import export_log
from server.backup.importing import import_log
from server.setup import set_up
from tests.backups import (
    Left,
    changes_at,
    client_at,
    elsewhere,
    push_without_hearing,
    restart,
    serving,
    team_at,
    use_and_leave,
    write_nothing,
)
from tests.databases import fresh_database, settings_for
from tests.faults.history import read_history
from tests.projecting import fetch, projecting, until
from tests.services import Services

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
async def settings(services: Services) -> AsyncIterator[Settings]:
    async with fresh_database(services) as dsn:
        settings = settings_for(services, dsn)
        await set_up(settings)
        yield settings


@asynccontextmanager
async def restored(settings: Settings, services: Services) -> AsyncIterator[Settings]:
    """A place for a restored log, with a database that holds nothing."""
    async with fresh_database(services) as dsn:
        yield elsewhere(settings, postgres_dsn=SecretStr(dsn))


def postgres(program: str, settings: Settings, *arguments: str) -> None:
    """Run one of Postgres' programs on the settings' database."""
    dsn = settings.postgres_dsn.get_secret_value()
    subprocess.run(
        [postgres_program(program), f"--dbname={dsn}", *arguments], check=True, capture_output=True
    )


async def projected(settings: Settings) -> None:
    """Wait until the library is projected up to the log's end, and prove it."""

    async def is_caught_up() -> bool:
        report = await verify(settings)
        return report.behind == 0 and report.events > 0

    await until(is_caught_up)
    assert (await verify(settings)).is_equal


async def names(url: str, team_id: str) -> list[str]:
    """The names in a library."""
    return sorted(one["fields"]["name"] for one in (await changes_at(url, team_id))["changes"])


async def test_a_database_that_is_gone_is_made_anew_from_the_log_alone(
    settings: Settings, tmp_path: Path
) -> None:
    team_id = str(uuid.uuid4())
    with serving(settings) as processes:
        async with client_at(processes.url("gateway"), team_id, tmp_path / "client") as client:
            client.create_team("ours")
            pattern_id = client.record(name="a")
            await client.restarted().push()
            await client.restarted().pull()
            before = await fetch(settings, "SELECT * FROM changes")
    url = make_url(settings.postgres_dsn.get_secret_value())
    owner = await asyncpg.connect(url.set(database="postgres").render_as_string(hide_password=False))
    await owner.execute(f'DROP DATABASE "{url.database}" WITH (FORCE)')
    await owner.execute(f'CREATE DATABASE "{url.database}"')
    await owner.close()
    await set_up(settings)
    with serving(settings) as processes:
        await projected(settings)
        assert await fetch(settings, "SELECT * FROM changes") == before
        async with client_at(processes.url("gateway"), team_id, tmp_path / "client") as client:
            client.edit(pattern_id, severity="low")
            assert not (await client.restarted().pull()).rebuilt
            await client.sync()
            assert client.states() == ["done"] * 3
        await projected(settings)


async def test_a_log_that_was_closed_goes_on_elsewhere_under_its_name(
    settings: Settings, services: Services, tmp_path: Path
) -> None:
    left = await use_and_leave(settings, tmp_path / "client")
    await export_log(settings, tmp_path / "export", final=True)
    postgres("pg_dump", settings, "--format=custom", f"--file={tmp_path / 'dump'}")
    old = await read_history(settings)
    async with restored(settings, services) as there:
        postgres("pg_restore", there, "--no-owner", str(tmp_path / "dump"))
        log = await import_log(there, tmp_path / "export", same_log=True)
        assert (log.log_id, log.ancestors) == ((await check_log(settings)).log_id, ())
        await write_nothing(there, 10)
        async with projecting(there) as health:
            await until(lambda: said(health.parts(), "is of another cluster"))
        await forget_projections(there)
        await go_on_under_the_same_name(there, left, tmp_path / "client")
        new = await read_history(there)
    assert [event for _, event in new.events if event in [each for _, each in old.events]] == [
        event for _, event in old.events
    ]
    commands = [event.command_id for _, event in new.events]
    assert len(commands) == len(set(commands)) == len(old.events) + 2


async def go_on_under_the_same_name(there: Settings, left: Left, folder: Path) -> None:
    """What was sent has its one outcome, and the client goes on where it was."""
    with serving(there) as processes:
        url = processes.url("gateway")
        async with team_at(url, left.team_id) as team:
            answers = [(await team.send(one)).json() for one in (left.owed, left.undecided)]
            assert [one["status"] for one in answers] == ["accepted", "accepted"]
        async with client_at(url, left.team_id, folder) as client:
            client.edit(left.pattern_id, category="x")
            await client.restarted().push()
            assert not (await client.restarted().pull()).rebuilt
            assert client.states() == ["done"] * 5
            assert client.fields(left.pattern_id) == {"name": "a", "severity": "high", "category": "x"}
            assert len(client.live()) == 3
        await projected(there)


async def said(report: object, text: str) -> bool:
    return text in str(report)


async def test_an_earlier_state_has_another_name_and_clients_begin_again_with_their_outbox(
    settings: Settings, services: Services, tmp_path: Path
) -> None:
    team_id = str(uuid.uuid4())
    with serving(settings) as processes:
        url = processes.url("gateway")
        async with client_at(url, team_id, tmp_path / "client") as client:
            client.create_team("ours")
            pattern_id = client.record(name="kept")
            await client.restarted().push()
            await client.restarted().pull()
        await push_without_hearing(url, team_id, tmp_path / "client", pattern_id)
        await export_log(settings, tmp_path / "export")
        async with client_at(url, team_id, tmp_path / "other") as other:
            await other.sync()
            other.record(name="lost with the future")
            await other.sync()
        await restart(processes, "decider")
    async with restored(settings, services) as there:
        await upgrade(there)
        log = await import_log(there, tmp_path / "export")
        assert log.ancestors == ((await check_log(settings)).log_id,)
        with serving(there) as processes:
            await projected(there)
            await begin_again(processes.url("gateway"), team_id, tmp_path, pattern_id)
            await projected(there)


async def begin_again(url: str, team_id: str, folder: Path, pattern_id: str) -> None:
    """Both clients are told to, and what they had not heard of is done once."""
    async with client_at(url, team_id, folder / "other") as other:
        other.record(name="from the outbox")
        assert (await other.restarted().pull()).rebuilt
        await other.sync()
        assert sorted(other.live()) == ["from the outbox", "kept"]
    async with client_at(url, team_id, folder / "client") as client:
        client.edit(pattern_id, category="x")
        assert (await client.restarted().pull()).rebuilt
        await client.sync()
        assert client.fields(pattern_id) == {"name": "kept", "severity": "high", "category": "x"}
    assert await names(url, team_id) == ["from the outbox", "kept"]


async def test_a_log_is_restored_again_and_knows_all_its_names(
    settings: Settings, services: Services, tmp_path: Path
) -> None:
    left = await use_and_leave(settings, tmp_path / "client")
    await export_log(settings, tmp_path / "1")
    second = elsewhere(settings)
    await import_log(second, tmp_path / "1")
    await export_log(second, tmp_path / "2")
    async with restored(settings, services) as third:
        await upgrade(third)
        log = await import_log(third, tmp_path / "2")
        assert log.ancestors == ((await check_log(second)).log_id, (await check_log(settings)).log_id)
        with serving(third) as processes:
            async with team_at(processes.url("gateway"), left.team_id) as team:
                assert (await team.send(left.undecided)).json()["status"] == "accepted"
            await projected(third)
