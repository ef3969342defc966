"""What the sync client's tests share: a server in memory, and a client of it that does not wait long."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sync_fakes.clients import IMPATIENT, Client, client_of
from tests.sync_fakes.http_server import TOKEN, ServedFake, served
from tests.sync_fakes.server import FakeServer
from tests.sync_fakes.terminal import Terminal


@pytest.fixture
def server() -> FakeServer:
    return FakeServer()


@pytest.fixture
def client(server: FakeServer, tmp_path: Path) -> Iterator[Client]:
    with client_of(server, tmp_path / "one", patience=IMPATIENT) as made:
        yield made


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Terminal:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATTERNLOG_TOKEN", TOKEN)
    monkeypatch.setenv("PATTERNLOG_CREDENTIALS", str(tmp_path / "home" / "credentials.json"))
    monkeypatch.delenv("PATTERNLOG_DIR", raising=False)
    return Terminal(monkeypatch, capsys)


@pytest.fixture
def fake() -> Iterator[ServedFake]:
    with served(FakeServer()) as fake:
        yield fake


@pytest.fixture
def workspace(terminal: Terminal, fake: ServedFake) -> Terminal:
    terminal.run("init", "--server", fake.url, "--team", fake.server.team_id)
    return terminal
