"""Apache Kafka as a cluster of one or more brokers, each of them a controller too (KRaft)."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from devstack.files import write_whole
from devstack.guard import Guard
from devstack.identity import random_id
from devstack.java import java_command
from devstack.kafka_home import KafkaHome
from devstack.kafka_properties import NodePorts, broker_properties, properties_text
from devstack.ports import HOST, Ports
from devstack.process import Launch, ManagedProcess, Program, retry_on_taken_port
from devstack.together import all_at_once

STARTED = "Kafka Server started"  # logged when the broker is registered, has caught up and takes requests
START_SECONDS = 120.0  # two busy cores take a tenth of it
METADATA = Path("data/__cluster_metadata-0/00000000000000000000-0000000000.checkpoint")


class Kafka:
    """A cluster; its brokers can be stopped, killed, paused and started again one by one."""

    def __init__(
        self,
        guard: Guard,
        ports: Ports,
        home: KafkaHome,
        brokers: int,
        cluster_id: str,
        extra: Mapping[str, str],
    ) -> None:
        self.brokers: tuple[ManagedProcess, ...] = ()
        self.bootstrap = ""
        self._guard = guard
        self._ports = ports
        self._home = home
        self._count = brokers
        self._cluster_id = cluster_id
        self._extra = extra

    def start(self) -> None:
        """Start all brokers and wait until each takes requests. Raises ServiceStartFailed."""
        retry_on_taken_port(self._start_once)

    def _start_once(self) -> None:
        reserve = self._ports.reserve
        nodes = [NodePorts(client=reserve(), controller=reserve()) for _ in range(self._count)]
        self.brokers = tuple(self._broker(node, nodes) for node in range(1, self._count + 1))
        self.bootstrap = ",".join(f"{HOST}:{ports.client}" for ports in nodes)
        all_at_once([broker.start for broker in self.brokers], self._kill)

    def _kill(self) -> None:
        for broker in self.brokers:
            broker.kill()

    def _broker(self, node: int, nodes: Sequence[NodePorts]) -> ManagedProcess:
        folder = self._guard.folder / f"kafka-{node}"
        properties = broker_properties(node, nodes, self._extra)
        write_whole(folder / "server.properties", properties_text(properties).encode())
        format_storage(folder, node, self._cluster_id, self._home.bootstrap_metadata)
        program = Program(
            name=f"kafka-{node}",
            argv=java_command(
                self._home.jars, folder, self._home.java_options, "kafka.Kafka", "server.properties"
            ),
            cwd=folder,
            log=folder / "kafka.log",
            ready=_is_started,
            start_timeout=START_SECONDS,
        )
        return ManagedProcess(self._guard, program)


def _is_started(launch: Launch) -> bool:
    return STARTED in launch.log_text()


def format_storage(folder: Path, node: int, cluster_id: str, bootstrap_metadata: bytes) -> None:
    """Write what `kafka-storage format` writes, unless it is there: first metadata, then meta.properties."""
    meta = folder / "data" / "meta.properties"
    if meta.exists():
        return
    write_whole(folder / METADATA, bootstrap_metadata)
    identity = {"version": "1", "cluster.id": cluster_id, "node.id": str(node), "directory.id": random_id()}
    write_whole(meta, properties_text(identity).encode())
