"""Each process starts on what `setup` made, stops in good order, and says in a line why it does not start."""

import signal
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import httpx
import pytest

from migrations.run import downgrade
from runtime.settings import Settings
from server.process import Process
from server.setup import set_up
from tests.commands import command_id
from tests.databases import fresh_database, settings_for, variables_of
from tests.processes import Running, running, until_ready
from tests.services import Services
from tests.tokens import bearer

PROCESSES = [process for process in Process if process is not Process.ALL]
NEED_POSTGRES = [Process.DECIDER, Process.PROJECTOR, Process.READ_API]
NOWHERE = "127.0.0.1:1"


@pytest.fixture(scope="module")
async def settings(services: Services) -> AsyncIterator[Settings]:
    """A log and a database that are set up."""
    async with fresh_database(services) as dsn:
        settings = settings_for(services, dsn)
        await set_up(settings)
        yield settings


def serve(
    process: Process, settings: Settings, folder: Path, changes: Mapping[str, object] | None = None
) -> AbstractAsyncContextManager[Running]:
    arguments = ["-m", "server", "serve", process.value]
    return running(arguments, folder, variables_of(settings) | dict(changes or {}))


async def refusal(
    process: Process, settings: Settings, folder: Path, changes: Mapping[str, object] | None = None
) -> tuple[int, str]:
    """The exit code and the one line of a process that does not start."""
    async with serve(process, settings, folder, changes) as started:
        code, errors = await started.end()
    assert errors.startswith(f"patternlog {process.value}: ")
    assert errors.count("\n") == 1, errors
    assert "Traceback" not in "".join(started.lines)
    return code, errors


@pytest.mark.parametrize("process", PROCESSES)
async def test_a_process_gets_ready_and_stops_in_good_order(
    settings: Settings, tmp_path: Path, process: Process
) -> None:
    async with serve(process, settings, tmp_path) as started:
        url = await until_ready(started)
        async with httpx.AsyncClient(base_url=url) as client:
            assert "patternlog_part_ready" in (await client.get("/metrics")).text
        assert await started.end(by=signal.SIGTERM) == (0, "")
    assert [event for event in started.events() if event["level"] not in {"info", "warning"}] == []


async def test_a_log_that_was_not_made_is_refused(settings: Settings, tmp_path: Path) -> None:
    code, line = await refusal(Process.DECIDER, settings, tmp_path, {"topic_prefix": "never-made"})
    assert (code, "run `patternlog setup`" in line) == (2, True)


async def test_a_log_with_other_partitions_is_refused(settings: Settings, tmp_path: Path) -> None:
    code, line = await refusal(Process.COMMAND_API, settings, tmp_path, {"log_partitions": 5})
    assert code == 2
    assert "has 2 partitions, PATTERNLOG_LOG_PARTITIONS says 5" in line


async def test_a_kafka_that_does_not_answer_is_named(settings: Settings, tmp_path: Path) -> None:
    code, line = await refusal(Process.COMMAND_API, settings, tmp_path, {"kafka_bootstrap": NOWHERE})
    assert code == 1
    assert f"Kafka at {NOWHERE} does not answer" in line


@pytest.mark.parametrize("process", NEED_POSTGRES)
async def test_a_postgres_that_does_not_answer_is_named_without_its_password(
    settings: Settings, tmp_path: Path, process: Process
) -> None:
    changes = {"postgres_dsn": f"postgresql://app:hunter2@{NOWHERE}/lib"}
    code, line = await refusal(process, settings, tmp_path, changes)
    assert code == 1
    assert f"Postgres at {NOWHERE}, database lib does not answer" in line
    assert "hunter2" not in line


@pytest.mark.parametrize("process", [Process.COMMAND_API, Process.GATEWAY])
async def test_commands_are_accepted_without_postgres(
    settings: Settings, tmp_path: Path, process: Process
) -> None:
    changes = {"postgres_dsn": f"postgresql://app:hunter2@{NOWHERE}/lib"}
    command = {"command_id": command_id(), "type": "create_team", "name": "ours"}
    headers = {"Authorization": bearer("ada"), "Prefer": "respond-async"}
    async with serve(process, settings, tmp_path, changes) as started:
        async with httpx.AsyncClient(base_url=await started.url(), headers=headers) as client:
            answer = await client.post(f"/api/v1/teams/{uuid.uuid4()}/commands", json=command)
        assert (answer.status_code, answer.json()["status"]) == (202, "pending")
        assert await started.end(by=signal.SIGTERM) == (0, "")
    assert "hunter2" not in "".join(started.lines)


@pytest.mark.parametrize("process", PROCESSES)
async def test_a_database_that_is_not_migrated_is_refused(
    services: Services, settings: Settings, tmp_path: Path, process: Process
) -> None:
    async with fresh_database(services) as dsn:
        code, line = await refusal(process, settings, tmp_path, {"postgres_dsn": dsn})
    assert code == 2
    assert "the database is at revision none and this version needs" in line
    assert "run `patternlog setup`" in line


async def test_a_migration_that_was_taken_back_is_noticed(services: Services, tmp_path: Path) -> None:
    async with fresh_database(services) as dsn:
        settings = settings_for(services, dsn)
        await set_up(settings)
        await downgrade(settings, "base")
        assert (await refusal(Process.PROJECTOR, settings, tmp_path))[0] == 2
