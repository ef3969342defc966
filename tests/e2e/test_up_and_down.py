"""`make up` and `make down`: services that stay, and data that outlives them."""

import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from demo.background import DATA
from demo.client import PASSWORD, Developer
from demo.deployment import MAILS
from devstack.ports import HOST, Ports

PATIENCE = 300.0
MakeCommand = Callable[[str], str]

pytestmark = [pytest.mark.devstack, pytest.mark.timeout(900)]


@pytest.fixture
def port() -> Iterator[int]:
    """The port that `up` is to prefer, ours alone."""
    ports = Ports()
    yield ports.reserve()
    ports.release()


@pytest.fixture
def make(tmp_path: Path, port: int) -> Iterator[MakeCommand]:
    """Run `up` or `down` in a folder of its own; what it says. Everything is down at the end."""

    def run(command: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "demo", command],
            cwd=tmp_path,
            env=os.environ | {"PATTERNLOG_PORT": str(port)},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stderr

    yield run
    run("down")


def url_in(said: str) -> str:
    found = re.search(r"Patternlog is ready at (\S+)", said)
    assert found, said
    return found[1]


def developer(name: str, folder: Path) -> Developer:
    (folder / name).mkdir()
    return Developer(name=name, folder=folder / name)


def test_a_second_up_finds_the_data_of_the_first(make: MakeCommand, port: int, tmp_path: Path) -> None:
    url = url_in(make("up"))
    assert url == f"http://{HOST}:{port}"
    assert httpx.get(f"{url}/docs").is_success
    again = make("up")
    assert "It runs already" in again
    assert url_in(again) == url

    ann, ben = developer("ann", tmp_path), developer("ben", tmp_path)
    for one in (ann, ben):
        one.run(*one.registration(url), typed=PASSWORD)
    assert list((tmp_path / DATA / MAILS).glob("*.eml"))
    ann.run("init", "--server", url, "--create", "Rule keepers")
    ann.run("record", "bounds_checking", "--set", "severity=high")
    ann.run("push")
    ben.run("team", "join", "-", typed=ann.run("team", "invite", "--role", "viewer"))
    assert "The data is kept" in make("down")
    assert "Nothing runs." in make("down")
    with pytest.raises(httpx.ConnectError):
        httpx.get(url)

    with socket.create_server((HOST, port)):
        other_url = url_in(make("up"))
    assert other_url != url
    # Sessions are kept by the server's address, and this is another one.
    ben.run("login", "--server", other_url, "--username", "ben", "--password-stdin", typed=PASSWORD)
    assert "pulled 1 change" in ben.run(
        "init", "--server", other_url, "--team", ann.json("status")["team_id"]
    )
    assert ben.json("show", "bounds_checking")["fields"]["severity"] == "high"
