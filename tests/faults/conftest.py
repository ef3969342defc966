"""Fault tests run the four services as processes on a stack that they may break."""

import os
import random
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

import pytest
from pydantic import SecretStr

from devstack.services import Services as ServiceProcesses
from devstack.stack import DevStack
from runtime.settings import Settings
from tests.databases import fresh_database, settings_for
from tests.faults.history import read_history
from tests.faults.workload import Workload
from tests.services import Services


@dataclass
class Deployment:
    """The services on a log and a database of their own, with clients that write."""

    stack: DevStack
    services: ServiceProcesses
    settings: Settings
    workload: Workload

    async def check(self) -> None:
        """Stop writing, then compare what clients were told with the topics and the read models."""
        await self.workload.finish()
        history = await read_history(self.settings)
        history.check(self.workload.acknowledged)
        self.services.verify()


Deploy = Callable[..., AbstractAsyncContextManager[Deployment]]


@pytest.fixture
def seed() -> int:
    """Printed with a failure; PATTERNLOG_SEED repeats a run's choices."""
    chosen = int(os.environ.get("PATTERNLOG_SEED") or random.randrange(2**32))
    print(f"PATTERNLOG_SEED={chosen}")  # noqa: T201 - pytest shows it with a failure
    return chosen


@pytest.fixture
def deploy(devstack: DevStack, seed: int) -> Deploy:
    """Start the services, some of them twice, and writers; end them after the test."""

    @asynccontextmanager
    async def deployed(*more: str, **options: str) -> AsyncIterator[Deployment]:
        shared = Services.of_stack(devstack)
        async with fresh_database(shared) as dsn:
            settings = settings_for(shared, dsn)
            with ServiceProcesses(_environment(settings)) as services:
                services.set_up()
                services.start("command-api", "decider", "projector", "read-api", *more, **options)
                workload = Workload(services.url("command-api"), seed)
                await workload.start()
                yield Deployment(devstack, services, settings, workload)

    return deployed


def _environment(settings: Settings) -> dict[str, str]:
    given = settings.model_dump(include=settings.model_fields_set)
    plain = {name: v.get_secret_value() if isinstance(v, SecretStr) else v for name, v in given.items()}
    return {f"PATTERNLOG_{name.upper()}": str(value) for name, value in plain.items()}
