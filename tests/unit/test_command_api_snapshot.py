"""The decider's connection to Postgres, when it dies under it."""

from typing import cast

import pytest
from asyncpg import InterfaceError, InternalClientError
from sqlalchemy.ext.asyncio import AsyncEngine

from command_api.decider import snapshot
from command_api.decider.owner import FAILED_IO
from command_api.decider.snapshot import Wanted, read_snapshot


class Driver:
    """A driver's connection that fails."""

    def __init__(self) -> None:
        self.closed = False
        self.error: Exception = InterfaceError("connection is closed")

    def is_closed(self) -> bool:
        return self.closed

    async def fetch(self, *_: object) -> list[object]:
        raise self.error


class Connection:
    """The pool's side of it."""

    def __init__(self) -> None:
        self.invalidated = False
        self.driver = Driver()

    async def __aenter__(self) -> "Connection":
        return self

    async def __aexit__(self, *_: object) -> None:
        return None

    async def invalidate(self) -> None:
        self.invalidated = True


class Engine:
    """A pool of one connection."""

    def __init__(self) -> None:
        self.connection = Connection()

    def connect(self) -> Connection:
        return self.connection


@pytest.mark.parametrize("error", [InterfaceError("closed"), InternalClientError("cannot switch state")])
async def test_a_connection_that_failed_does_not_go_back_to_the_pool(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    engine = Engine()
    engine.connection.driver.error = error

    async def driver_of(connection: Connection) -> Driver:
        return connection.driver

    monkeypatch.setattr(snapshot, "raw", driver_of)
    with pytest.raises(type(error)):
        await read_snapshot(cast(AsyncEngine, engine), 0, Wanted())
    assert engine.connection.invalidated
    assert isinstance(error, FAILED_IO)
