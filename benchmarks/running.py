"""Starting what is measured."""

import asyncio
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from benchmarks.commands import TEAMS, bearer, create_team, token_seed
from benchmarks.connection import Connection
from devstack.guard import Guard
from devstack.ports import HOST, Ports
from devstack.process import ManagedProcess, Program
from devstack.services import Services, is_ready
from devstack.stack import DevStack, StackOptions

PARTITIONS = "2"
"""One for each core of the machine that the figures were made on."""


@contextmanager
def stack(brokers: int = 1, *, flush: bool = False, redis: bool = False) -> Iterator[DevStack]:
    """A fresh stack; with `flush` every record is on disk before Kafka acknowledges it."""
    properties = {"log.flush.interval.messages": "1"} if flush else {}
    with DevStack(StackOptions(brokers=brokers, with_redis=redis, kafka_properties=properties)) as running:
        yield running


@contextmanager
def services(running: DevStack, *kinds: str, prefix: str, brokers: int = 1) -> Iterator[Services]:
    """Services on a log of their own, with the teams created."""
    with Services(settings_of(running, prefix, brokers)) as started:
        started.set_up()
        started.start(*kinds)
        asyncio.run(_create_teams(started.url("command-api")))
        yield started


def settings_of(running: DevStack, prefix: str, brokers: int = 1) -> dict[str, str]:
    """The settings of services on a log of their own."""
    return running.environment() | {
        "PATTERNLOG_LOG_PARTITIONS": PARTITIONS,
        "PATTERNLOG_LOG_REPLICATION": str(brokers),
        "PATTERNLOG_TOPIC_PREFIX": prefix,
        "PATTERNLOG_LOG_LEVEL": "WARNING",
        "PATTERNLOG_TOKEN_KEYS": token_seed(),
        # One client asks as much as it can; what the limits cost is measured by `edge`.
        "PATTERNLOG_RATE_LIMITS": "false",
    }


@contextmanager
def peer(kind: str, dsn: str) -> Iterator[str]:
    """A peer as one process; its URL."""
    guard, ports = Guard(None), Ports()
    port = ports.reserve()
    url = f"http://{HOST}:{port}"
    program = Program(
        name=kind,
        argv=[sys.executable, "-m", "benchmarks.peers", kind, str(port), dsn],
        cwd=guard.folder,
        log=guard.folder / "log",
        ready=lambda _: is_ready(url),
    )
    try:
        ManagedProcess(guard, program).start()
        yield url
    finally:
        guard.close()
        ports.release()


async def _create_teams(url: str) -> None:
    await in_each_team(url, create_team)


async def in_each_team(url: str, command: Callable[[], Mapping[str, object]]) -> None:
    """Send a command to each team, as the one who created them."""
    connection = Connection(url, bearer())
    for team_id in TEAMS:
        body = json.dumps(command()).encode()
        status, answer = await connection.request("POST", f"/api/v1/teams/{team_id}/commands", body)
        if status not in (200, 409):
            raise RuntimeError(f"{status}: {answer!r}")
    connection.close()
