"""What a broker of the devstack is told, by the broker configuration reference of Apache Kafka 4.4."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from devstack.ports import HOST

MEBIBYTE = 1024 * 1024
LARGEST_BATCH = 8 * MEBIBYTE + 64 * 1024  # a topic's max.message.bytes of 8 MiB, and what wraps it


@dataclass(frozen=True, kw_only=True)
class NodePorts:
    """Where a node listens: for clients and other brokers, and for the controllers' quorum."""

    client: int
    controller: int


def broker_properties(node: int, nodes: Sequence[NodePorts], extra: Mapping[str, str]) -> dict[str, str]:
    """All properties of node 1..n, a broker and a controller in one process; `extra` wins."""
    return _identity(node, nodes) | _durability(len(nodes)) | _SIZES | _MANNERS | dict(extra)


def _identity(node: int, nodes: Sequence[NodePorts]) -> dict[str, str]:
    own = nodes[node - 1]
    voters = (f"{id}@{HOST}:{ports.controller}" for id, ports in enumerate(nodes, 1))
    return {
        "process.roles": "broker,controller",
        "node.id": str(node),
        # Fixed voters, unlike ones that are written into the log, may change their ports from run to run.
        "controller.quorum.voters": ",".join(voters),
        "listeners": f"CLIENT://{HOST}:{own.client},CONTROLLER://{HOST}:{own.controller}",
        "advertised.listeners": f"CLIENT://{HOST}:{own.client}",
        "listener.security.protocol.map": "CLIENT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "inter.broker.listener.name": "CLIENT",
        "controller.listener.names": "CONTROLLER",
        "log.dirs": "data",
    }


def _durability(brokers: int) -> dict[str, str]:
    replicas, in_sync = str(min(brokers, 3)), str(2 if brokers >= 3 else 1)
    internal = ("offsets.topic", "transaction.state.log", "share.coordinator.state.topic")
    return {
        "default.replication.factor": replicas,
        "min.insync.replicas": in_sync,
        "unclean.leader.election.enable": "false",
        "transaction.state.log.min.isr": in_sync,
        "share.coordinator.state.topic.min.isr": in_sync,
        **{f"{topic}.replication.factor": replicas for topic in internal},
        **{f"{topic}.num.partitions": "4" for topic in internal},
    }


_SIZES = {
    "message.max.bytes": str(LARGEST_BATCH),
    "replica.fetch.max.bytes": str(2 * LARGEST_BATCH),
    "replica.fetch.response.max.bytes": str(8 * LARGEST_BATCH),
    "socket.request.max.bytes": str(100 * MEBIBYTE),
    "log.cleaner.dedupe.buffer.size": str(16 * MEBIBYTE),  # of a heap of 512 MiB
}

_MANNERS = {
    "auto.create.topics.enable": "false",
    "group.initial.rebalance.delay.ms": "0",
    # A killed broker is taken back, and a dead one given up, when its session has run out (by default 9 s).
    "broker.heartbeat.interval.ms": "1000",
    "broker.session.timeout.ms": "4000",
}


def properties_text(properties: Mapping[str, str]) -> str:
    """The text of a Java properties file."""
    return "".join(f"{key}={_escaped(value)}\n" for key, value in properties.items())


def _escaped(value: str) -> str:
    return json.dumps(value)[1:-1]  # JSON's escapes are Java's
