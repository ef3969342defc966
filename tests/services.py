"""Where the tests' Kafka, Postgres and Redis come from."""

import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from devstack.stack import DevStack

KAFKA = "PATTERNLOG_TEST_KAFKA_BOOTSTRAP"
POSTGRES = "PATTERNLOG_TEST_POSTGRES_DSN"
REDIS = "PATTERNLOG_TEST_REDIS_URL"
VARIABLES = (KAFKA, POSTGRES, REDIS)

# In a process of its own: a half-dead engine can make the client hang, and a dead one makes it leak a socket.
PING_ENGINE = "from testcontainers.core.docker_client import DockerClient as D; D(timeout=2).client.ping()"


class Source(StrEnum):
    """Who runs the services."""

    ENVIRONMENT = "environment"
    TESTCONTAINERS = "testcontainers"
    DEVSTACK = "devstack"


class IncompleteServices(Exception):
    """Some of the services are named by environment variables, and some are not."""


@dataclass(frozen=True, kw_only=True)
class Services:
    """Where the services listen. Of these three, only a devstack can be killed, paused and started again."""

    kafka_bootstrap: str
    postgres_dsn: str
    redis_url: str
    source: Source
    stack: DevStack | None = None

    @classmethod
    def of_environment(cls, environ: Mapping[str, str]) -> Self:
        return cls(
            kafka_bootstrap=environ[KAFKA],
            postgres_dsn=environ[POSTGRES],
            redis_url=environ[REDIS],
            source=Source.ENVIRONMENT,
        )

    @classmethod
    def of_stack(cls, stack: DevStack) -> Self:
        return cls(
            kafka_bootstrap=stack.kafka_bootstrap,
            postgres_dsn=stack.postgres_dsn,
            redis_url=stack.redis_url,
            source=Source.DEVSTACK,
            stack=stack,
        )


def choose_source(environ: Mapping[str, str], engine_answers: Callable[[], bool]) -> Source:
    """Services that are named come first, then a Docker engine's, then our own."""
    missing = [variable for variable in VARIABLES if not environ.get(variable)]
    if not missing:
        return Source.ENVIRONMENT
    if len(missing) < len(VARIABLES):
        raise IncompleteServices(f"set all of {', '.join(VARIABLES)}, or none; not set: {', '.join(missing)}")
    return Source.TESTCONTAINERS if engine_answers() else Source.DEVSTACK


def docker_engine_answers(environ: Mapping[str, str], *, within: float = 10.0) -> bool:
    """Whether a Docker engine can be used; an engine that takes longer than `within` seconds can't."""
    ping = [sys.executable, "-c", PING_ENGINE]
    try:
        answer = subprocess.run(ping, env=environ, capture_output=True, timeout=within, check=False)
    except subprocess.TimeoutExpired:
        return False
    return answer.returncode == 0
