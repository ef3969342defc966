"""What every test can ask for, and how tests are marked."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from devstack.stack import DevStack, StackOptions
from tests.services import Services, Source, choose_source, docker_engine_answers

FOLDERS_THAT_ARE_MARKS = frozenset({"model", "integration", "e2e", "faults"})
STARTING = 600
"""Seconds for the first test that asks for services: the first start ever downloads Kafka or its image."""

used = pytest.StashKey[Services]()


@pytest.fixture(scope="session")
def devstack() -> Iterator[DevStack]:
    """Kafka, Postgres and Redis that a test may kill, pause and start again; it leaves them running."""
    with DevStack(StackOptions()) as stack:
        yield stack


@pytest.fixture(scope="session")
def services(request: pytest.FixtureRequest) -> Iterator[Services]:
    """Kafka, Postgres and Redis, whoever runs them; shared, so each test makes its own topics and tables."""
    source = choose_source(os.environ, lambda: docker_engine_answers(os.environ))
    with _running(source, request) as chosen:
        request.config.stash[used] = chosen
        yield chosen


@contextmanager
def _running(source: Source, request: pytest.FixtureRequest) -> Iterator[Services]:
    match source:
        case Source.ENVIRONMENT:
            yield Services.of_environment(os.environ)
        case Source.TESTCONTAINERS:
            from tests.containers import running_containers  # noqa: PLC0415 - half a second that few runs need

            with running_containers() as services:
                yield services
        case Source.DEVSTACK:
            yield Services.of_stack(request.getfixturevalue("devstack"))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """A test bears its folder's mark, and the first to need services has time to start them."""
    for item in items:
        for mark in FOLDERS_THAT_ARE_MARKS.intersection(item.path.relative_to(config.rootpath).parts):
            item.add_marker(mark)
    if starter := next(filter(_needs_services, items), None):
        starter.add_marker(pytest.mark.timeout(STARTING), append=False)


def _needs_services(item: pytest.Item) -> bool:
    return not {"services", "devstack"}.isdisjoint(getattr(item, "fixturenames", ()))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say on what the tests ran."""
    if services := config.stash.get(used, None):
        terminalreporter.write_line(
            f"services: {services.source} (Kafka {services.kafka_bootstrap}, Redis {services.redis_url})"
        )
