"""docker-compose.yml starts the services that the code has, with settings that the code knows."""

import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import make_url

from runtime.settings import Settings
from runtime.settings_documentation import variable_of
from server.command_line import app
from server.process import Process

ROOT = Path(__file__).parents[2]
FILE = ROOT / "docker-compose.yml"
OURS = ("setup", "command-api", "decider", "projector", "read-api")
VARIABLES = {variable_of(name): name for name in Settings.model_fields}


def compose() -> dict[str, Any]:
    parsed: dict[str, Any] = yaml.safe_load(FILE.read_text())
    return parsed


def service(name: str) -> dict[str, Any]:
    found: dict[str, Any] = compose()["services"][name]
    return found


def settings_of(name: str) -> Settings:
    environment = service(name)["environment"]
    return Settings(_env_file=None, **{VARIABLES[variable]: value for variable, value in environment.items()})


def test_every_variable_of_ours_is_a_setting() -> None:
    used = set(re.findall(r"PATTERNLOG_[A-Z_]+", FILE.read_text()))
    assert used
    assert used - set(VARIABLES) == set()


def test_it_has_the_backing_services_and_one_of_each_process() -> None:
    assert set(compose()["services"]) == {"kafka", "postgres", "redis", *OURS}
    for name in OURS[1:]:
        command, process = service(name)["command"]
        assert (command, Process(process).value) == ("serve", name)
    assert service("setup")["command"] == ["setup"]
    assert {"serve", "setup"} <= {
        command.name or command.callback.__name__ for command in app.registered_commands if command.callback
    }


@pytest.mark.parametrize("name", OURS)
def test_its_settings_are_valid_and_point_at_the_backing_services(name: str) -> None:
    settings = settings_of(name)
    listeners = service("kafka")["environment"]["KAFKA_ADVERTISED_LISTENERS"]
    assert f"INSIDE://{settings.kafka_bootstrap}" in listeners.split(",")
    postgres = service("postgres")["environment"]
    url = make_url(settings.postgres_dsn.get_secret_value())
    assert (url.host, url.username) == ("postgres", postgres["POSTGRES_USER"])
    assert (url.password, url.database) == (postgres["POSTGRES_PASSWORD"], postgres["POSTGRES_DB"])
    assert make_url(settings.redis_url.get_secret_value()).host == "redis"
    assert settings.host == "0.0.0.0"  # noqa: S104 - inside its container


@pytest.mark.parametrize("name", ["command-api", "read-api"])
def test_the_apis_are_published_where_they_listen_to_this_machine_alone(name: str) -> None:
    (published,) = service(name)["ports"]
    address, _, inside = published.split(":")
    assert (address, int(inside)) == ("127.0.0.1", settings_of(name).port)


@pytest.mark.parametrize("name", OURS[1:])
def test_each_process_waits_for_the_setup_and_has_time_to_stop(name: str) -> None:
    assert service(name)["depends_on"] == {"setup": {"condition": "service_completed_successfully"}}
    assert float(service(name)["stop_grace_period"].removesuffix("s")) > settings_of(name).shutdown_s
    assert "/health/ready" in service(name)["healthcheck"]["test"][-1]


def test_the_setup_waits_until_what_it_needs_is_healthy() -> None:
    waits = service("setup")["depends_on"]
    assert waits == {name: {"condition": "service_healthy"} for name in ("kafka", "postgres", "redis")}
    assert all("test" in service(name)["healthcheck"] for name in waits)


def test_the_image_is_built_from_every_package_of_the_wheel() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    packages = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    sent = set((ROOT / ".dockerignore").read_text().splitlines())
    assert {f"!{package}/**" for package in packages} <= sent
    assert {"*", "!pyproject.toml", "!LICENSE", "!requirements/lock.txt"} <= sent


def test_the_image_s_constraints_are_the_whole_lock() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    (script,) = re.findall(r"sed -n '([^']+)' requirements/lock.txt", dockerfile)
    taken = subprocess.run(
        ["sed", "-n", script, ROOT / "requirements" / "lock.txt"], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    locked = re.findall(r"^[^\s#]+==", (ROOT / "requirements" / "lock.txt").read_text(), re.MULTILINE)
    assert [line.partition("==")[0] + "==" for line in taken] == locked
    assert all(re.fullmatch(r"[A-Za-z0-9._\[\]-]+==[A-Za-z0-9.+!]+", line) for line in taken)


def has_compose() -> bool:
    if shutil.which("docker") is None:
        return False
    return subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(not has_compose(), reason="needs Docker's compose plugin")
def test_compose_itself_takes_the_file() -> None:
    subprocess.run(["docker", "compose", "--file", FILE, "config", "--quiet"], check=True)
