"""No secret is shown: not by settings, logs, errors, answers, health, metrics, descriptions or topics."""

import signal
import subprocess
import sys
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
from tests.canaries import canary, seed, shown_in, values
from tests.commands import command_id
from tests.databases import fresh_database, settings_for, variables_of
from tests.processes import running
from tests.services import Services


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


@pytest.mark.parametrize("name", SECRETS)
@pytest.mark.parametrize("command", [["setup"], ["serve", "projector"]])
def test_a_start_with_a_broken_secret_does_not_show_it(name: str, command: list[str], tmp_path: Path) -> None:
    environment = {f"PATTERNLOG_{one.upper()}": value for one, value in values().items()}
    environment |= {f"PATTERNLOG_{name.upper()}": canary(name), "PATTERNLOG_LOG_LEVEL": "DEBUG"}
    environment |= {"PATTERNLOG_ENVIRONMENT": "development", "PATTERNLOG_KAFKA_BOOTSTRAP": "127.0.0.1:1"}
    done = subprocess.run(
        [sys.executable, "-m", "server", *command],
        env=environment | {"PATTERNLOG_PORT": "0", "PATTERNLOG_PORT_FILE": str(tmp_path / "port")},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode in {1, 2}
    assert shown_in(done.stdout + done.stderr) == []
    assert "Traceback" not in done.stdout + done.stderr


async def test_a_process_shows_neither_its_secrets_nor_those_that_requests_bring(
    settings: Settings, tmp_path: Path
) -> None:
    variables = variables_of(settings) | values() | {"log_level": "DEBUG", "tree_head_keys": seed()}
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
    good = {"Authorization": "Bearer dev-ada", "Prefer": "respond-async"}
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
