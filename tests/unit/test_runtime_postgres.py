"""The driver's connections, when they die in the pool or under who uses them."""

from dataclasses import dataclass, field
from typing import cast

import pytest
from asyncpg import InterfaceError, InternalClientError
from sqlalchemy.ext.asyncio import AsyncEngine

from runtime.postgres import FAILED, driver


@dataclass
class Driver:
    """A driver's connection."""

    closed: bool = False

    def is_closed(self) -> bool:
        return self.closed


@dataclass
class Engine:
    """A pool of these connections, and the one that is checked out, which `invalidate` replaces."""

    drivers: list[Driver] = field(default_factory=lambda: [Driver()])

    @property
    def driver_connection(self) -> Driver:
        return self.drivers[0]

    def connect(self) -> "Engine":
        return self

    async def __aenter__(self) -> "Engine":
        return self

    async def __aexit__(self, *_: object) -> None:
        return None

    async def get_raw_connection(self) -> "Engine":
        return self

    async def invalidate(self) -> None:
        self.drivers.pop(0)


async def test_one_that_works_goes_back_to_the_pool() -> None:
    engine = Engine()
    async with driver(cast(AsyncEngine, engine)) as pg:
        assert cast(Driver, pg) is engine.drivers[0]
    assert len(engine.drivers) == 1


async def test_those_that_have_closed_are_passed_over() -> None:
    engine = Engine([Driver(closed=True), Driver(closed=True), Driver()])
    last = engine.drivers[-1]
    async with driver(cast(AsyncEngine, engine)) as pg:
        assert cast(Driver, pg) is last
    assert engine.drivers == [last]


@pytest.mark.parametrize("error", [InterfaceError("closed"), InternalClientError("cannot switch state")])
async def test_one_that_failed_does_not_go_back(error: Exception) -> None:
    engine = Engine()
    with pytest.raises(type(error)):
        async with driver(cast(AsyncEngine, engine)):
            raise error
    assert engine.drivers == []
    assert isinstance(error, FAILED)
