"""Real Kafka, PostgreSQL and Redis for one process and those it starts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from devstack.errors import DevStackError, ServiceError
from devstack.guard import Guard
from devstack.identity import cluster_identity
from devstack.kafka import Kafka
from devstack.kafka_preparation import provide_kafka
from devstack.ports import Ports
from devstack.postgres import Postgres
from devstack.process import ManagedProcess
from devstack.progress import Reporter
from devstack.redis import Redis
from devstack.together import all_at_once


@dataclass(frozen=True, kw_only=True)
class StackOptions:
    """What to run. Without a data folder the data is thrown away at the end. Extra settings win over ours."""

    data_dir: Path | None = None
    brokers: int = 1
    with_redis: bool = True
    kafka_properties: Mapping[str, str] = field(default_factory=dict)
    postgres_settings: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.brokers < 1:
            raise ValueError(f"A stack has at least one broker, not {self.brokers}")


@dataclass(frozen=True, kw_only=True)
class _Running:
    guard: Guard
    ports: Ports
    kafka: Kafka
    postgres: Postgres
    redis: Redis | None


class DevStack:
    """One stack, a context manager or used by `start` and `close`; it ends with the process in any case."""

    def __init__(self, options: StackOptions | None = None, reporter: Reporter | None = None) -> None:
        self.options = options or StackOptions()
        self._reporter = reporter or Reporter()
        self._running: _Running | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def start(self) -> None:
        """Start all parts and wait until each can be used. Raises DevStackError; nothing runs then."""
        if self._running is not None:
            raise DevStackError("The stack runs already")
        guard, ports = Guard(self.options.data_dir), Ports()
        try:
            self._running = self._start_in(guard, ports)
        except BaseException:
            guard.close()
            ports.release()
            raise

    def close(self) -> None:
        """End all parts, in good order if their data is kept. Does nothing the second time."""
        running, self._running = self._running, None
        if running is None:
            return
        try:
            if self.options.data_dir is not None:
                all_at_once([process.stop for process in _processes(running)], running.guard.close)
        finally:
            running.guard.close()
            running.ports.release()

    def check(self) -> None:
        """Raise ServiceError, with the end of its log, for a part that does not run."""
        for process in _processes(self._live):
            if not process.is_running():
                raise ServiceError(process.name, "it has ended", process.log_tail())

    @property
    def brokers(self) -> tuple[ManagedProcess, ...]:
        return self._live.kafka.brokers

    @property
    def postgres(self) -> ManagedProcess:
        return self._live.postgres.process

    @property
    def redis(self) -> ManagedProcess:
        return self._live_redis.process

    @property
    def kafka_bootstrap(self) -> str:
        return self._live.kafka.bootstrap

    @property
    def postgres_dsn(self) -> str:
        return self._live.postgres.dsn

    @property
    def redis_url(self) -> str:
        return self._live_redis.url

    def environment(self) -> dict[str, str]:
        """The variables by which Patternlog's processes find the stack."""
        found = {
            "PATTERNLOG_KAFKA_BOOTSTRAP": self.kafka_bootstrap,
            "PATTERNLOG_POSTGRES_DSN": self.postgres_dsn,
        }
        return found | ({"PATTERNLOG_REDIS_URL": self.redis_url} if self.options.with_redis else {})

    def _start_in(self, guard: Guard, ports: Ports) -> _Running:
        options, persistent = self.options, self.options.data_dir is not None
        cluster_id = cluster_identity(guard.folder, options.brokers)
        home = provide_kafka(self._reporter)
        kafka = Kafka(guard, ports, home, options.brokers, cluster_id, options.kafka_properties)
        postgres = Postgres(guard, ports, options.postgres_settings, persistent=persistent)
        redis = Redis(guard, ports, persistent=persistent) if options.with_redis else None
        parts = [kafka.start, postgres.start] + ([redis.start] if redis else [])
        all_at_once(parts, guard.close)
        return _Running(guard=guard, ports=ports, kafka=kafka, postgres=postgres, redis=redis)

    @property
    def _live(self) -> _Running:
        if self._running is None:
            raise DevStackError("The stack does not run")
        return self._running

    @property
    def _live_redis(self) -> Redis:
        if self._live.redis is None:
            raise DevStackError("The stack was started without Redis")
        return self._live.redis


def _processes(running: _Running) -> list[ManagedProcess]:
    redis = [running.redis.process] if running.redis else []
    return [*running.kafka.brokers, running.postgres.process, *redis]
