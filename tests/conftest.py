"""What every test can ask for, and how tests are marked."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from xdist.workermanage import WorkerController

from devstack.stack import DevStack, StackOptions
from tests.services import Services, Source, choose_source, docker_engine_answers

FOLDERS_THAT_ARE_MARKS = frozenset({"model", "integration", "e2e", "faults"})
STARTING = 600
"""Seconds for the first test that asks for services: the first start ever downloads Kafka or its image."""

used = pytest.StashKey[str]()


def pytest_configure(config: pytest.Config) -> None:
    """Let Ctrl-C reach the processes that tests start, also where a shell's background job ignores it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


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
        request.config.stash[used] = (
            f"services: {chosen.source} (Kafka {chosen.kafka_bootstrap}, Redis {chosen.redis_url})"
        )
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


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Let the process that prints the summary know on what this one's tests ran."""
    if hasattr(session.config, "workeroutput") and used in session.config.stash:
        session.config.workeroutput["services"] = session.config.stash[used]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: WorkerController) -> None:
    """Take a worker's word for it."""
    if services := node.workeroutput.get("services"):
        node.config.stash[used] = services


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say on what the tests ran."""
    if services := config.stash.get(used, None):
        terminalreporter.write_line(services)
