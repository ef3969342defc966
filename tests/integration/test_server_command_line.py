"""The server's commands say what they do, and what is wrong, in a line."""

import json
import subprocess
import sys

import pytest
from typer.testing import CliRunner, Result

from runtime.settings_documentation import env_example
from server.command_line import app
from server.process import Process


def run(*arguments: str, **environment: str) -> Result:
    return CliRunner().invoke(
        app, arguments, env={f"PATTERNLOG_{name}": value for name, value in environment.items()}
    )


def test_the_example_of_the_environment_is_printed_as_it_is() -> None:
    result = run("env-example")
    assert (result.exit_code, result.stdout) == (0, env_example())


@pytest.mark.parametrize("process", sorted(set(Process) - {Process.ALL}))
def test_the_api_of_a_process_is_described_whatever_the_environment(process: Process) -> None:
    result = run("openapi", process.value, ENVIRONMENT="production", PORT="not a number")
    assert result.exit_code == 0
    paths = set(json.loads(result.stdout)["paths"])
    assert "/health/ready" in paths
    commands = {"/api/v1/teams/{team_id}/commands", "/api/v1/teams/{team_id}/commands/{command_id}"}
    assert (commands <= paths) == (process in {Process.COMMAND_API, Process.GATEWAY})
    changes = "/api/v1/teams/{team_id}/changes"
    assert (changes in paths) == (process in {Process.READ_API, Process.GATEWAY})


def test_settings_that_are_wrong_are_named_without_their_values() -> None:
    result = run("setup", PORT="70000 hunter2", MAX_BATCH="501")
    assert result.exit_code == 2
    assert "PATTERNLOG_PORT: " in result.stderr
    assert "PATTERNLOG_MAX_BATCH: " in result.stderr
    assert "hunter2" not in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("process", "keys"),
    [(Process.COMMAND_API, ""), (Process.READ_API, "c2hvcnQ="), (Process.GATEWAY, "hunter2!")],
)
def test_no_api_is_served_without_a_key_for_tokens(process: Process, keys: str) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "server", "serve", process.value],
        env={"PATTERNLOG_TOKEN_KEYS": keys, "PATTERNLOG_PORT": "0"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 2
    assert "PATTERNLOG_TOKEN_KEYS" in result.stderr
    assert "hunter2" not in result.stderr
    assert result.stderr.count("\n") == 1
    assert result.stdout == ""


def test_setup_says_what_does_not_answer() -> None:
    result = run(
        "setup", POSTGRES_DSN="postgresql://app:hunter2@127.0.0.1:1/lib", KAFKA_BOOTSTRAP="127.0.0.1:1"
    )
    assert result.exit_code == 1
    assert "Postgres at 127.0.0.1:1, database lib does not answer" in result.stderr
    assert "hunter2" not in result.stderr


def test_the_client_s_commands_do_not_pay_for_the_server() -> None:
    heavy = {"aiokafka", "alembic", "fastapi", "faststream", "pydantic_settings", "sqlalchemy", "uvicorn"}
    program = "import sys, server.command_line; print(*sys.modules)"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert heavy & set(result.stdout.split()) == set()
