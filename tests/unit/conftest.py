"""What the sync client's tests share: a server in memory, and a client of it that does not wait long."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sync_fakes.clients import IMPATIENT, Client, client_of
from tests.sync_fakes.server import FakeServer


@pytest.fixture
def server() -> FakeServer:
    return FakeServer()


@pytest.fixture
def client(server: FakeServer, tmp_path: Path) -> Iterator[Client]:
    with client_of(server, tmp_path / "one", patience=IMPATIENT) as made:
        yield made
