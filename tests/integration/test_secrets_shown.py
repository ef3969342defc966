"""No secret is shown: not by settings, logs, errors, answers, health, metrics, descriptions or topics."""

import signal
import traceback
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from pydantic import ValidationError

from runtime.secrets.reloading import SECRETS
from runtime.settings import Settings
from server.setup import set_up
from tests.canaries import canary, shown_in, values
from tests.commands import command_id
from tests.databases import fresh_database, settings_for, variables_of
from tests.processes import running
from tests.services import Services
from tests.tokens import bearer


@pytest.fixture(scope="module")
async def settings(services: Services) -> AsyncIterator[Settings]:
    async with fresh_database(services) as dsn:
        settings = settings_for(services, dsn)
        await set_up(settings)
        yield settings


def test_every_canary_is_recognized() -> None:
    for name, value in values().items():
        assert shown_in(value), name


def test_settings_do_not_show_what_they_keep() -> None:
    kept = Settings(_env_file=None, **values())  # type: ignore[arg-type]
    for text in (repr(kept), str(kept), kept.model_dump_json(), str(kept.model_dump())):
        assert shown_in(text) == []


@pytest.mark.parametrize("name", SECRETS)
def test_neither_does_the_error_of_a_setting_that_is_broken(name: str) -> None:
    broken = {name: [canary(name)], "port": canary(name)}
    with pytest.raises(ValidationError) as caught:
        Settings(_env_file=None, **broken)  # type: ignore[arg-type]
    assert shown_in("".join(traceback.format_exception(caught.value))) == []


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("setup", "postgres_dsn"),
        ("serve read-api", "redis_url"),
        ("serve gateway", "token_keys"),
        ("serve projector", "tree_head_keys"),
    ],
)
async def test_a_start_with_a_broken_secret_names_it_and_does_not_show_it(
    command: str, name: str, settings: Settings, tmp_path: Path
) -> None:
    # The others have no form that they could lack.
    reachable = {one: value for one, value in variables_of(settings).items() if one not in SECRETS or value}
    broken = {**values(), **reachable, name: canary(name), "log_level": "DEBUG"}
    async with running(["-m", "server", *command.split()], tmp_path, broken) as process:
        code, errors = await process.end()
    said = errors + "".join(process.lines)
    assert (code, shown_in(said), "Traceback" in said) == (2, [], False)
    assert f"PATTERNLOG_{name.upper()}" in said


async def test_neither_does_one_that_reaches_nothing(tmp_path: Path) -> None:
    unreachable = {**values(), "log_level": "DEBUG", "kafka_bootstrap": "127.0.0.1:1"}
    async with running(["-m", "server", "serve", "projector"], tmp_path, unreachable) as process:
        code, errors = await process.end()
    said = errors + "".join(process.lines)
    assert (code, shown_in(said), "Traceback" in said) == (1, [], False)
    assert "Postgres at 127.0.0.1:1" in said


async def test_a_process_shows_neither_its_secrets_nor_those_that_requests_bring(
    settings: Settings, tmp_path: Path
) -> None:
    variables = variables_of(settings) | values() | {"log_level": "DEBUG"}
    said: list[str] = []
    async with running(["-m", "server", "serve", "gateway"], tmp_path, variables) as process:
        async with httpx.AsyncClient(base_url=await process.url(), timeout=30) as client:
            said += [answer.text + str(answer.headers) for answer in await provoked(client)]
        code, errors = await process.end(by=signal.SIGTERM)
    assert code == 0
    assert shown_in(errors + "".join(process.lines)) == []
    assert shown_in("".join(said)) == []


async def provoked(client: httpx.AsyncClient) -> list[httpx.Response]:
    """What a process answers that has no Postgres, to the good and the bad."""
    secret = canary("request")
    team = f"/api/v1/teams/{uuid.uuid4()}"
    good = {"Authorization": bearer("ada"), "Prefer": "respond-async"}
    bad = {b"Authorization": f"Bearer {secret}".encode(), b"Cookie": f"session={secret}".encode()}
    command = {"command_id": command_id(), "type": "create_team", "name": "ours"}
    return [
        *[await client.get(path) for path in ("/health/live", "/health/ready", "/metrics", "/openapi.json")],
        await client.post(f"{team}/commands", json=command, headers=good),
        await client.get(f"{team}/changes", headers=good),
        await client.get(f"{team}/changes", headers=bad),
        await client.post(f"{team}/commands", json={**command, "password": 1}, headers=bad),
        await client.post(f"{team}/commands", content=b'{"password": "' + secret.encode(), headers=good),
    ]
