"""Kafka as it is kept in the user's cache: its jars, and what is made from them once."""

from dataclasses import dataclass
from pathlib import Path

from devstack.cache import cache_dir, exclusive
from devstack.files import write_whole
from devstack.guard import Guard
from devstack.jar_pins import read_pins
from devstack.jars import provide_jars
from devstack.java import ENVIRONMENT, java_command
from devstack.kafka_properties import NodePorts, broker_properties, properties_text
from devstack.process import Program, run_to_end
from devstack.progress import Reporter

KAFKA_VERSION = "4.4.0"
CHECKPOINT = "bootstrap.checkpoint"


@dataclass(frozen=True, kw_only=True)
class KafkaHome:
    """What a broker is started from."""

    jars: tuple[Path, ...]
    bootstrap_metadata: bytes


def provide_kafka(reporter: Reporter) -> KafkaHome:
    """Kafka from the user's cache, after bringing what is missing there. Raises DevStackError."""
    folder = cache_dir() / f"kafka-{KAFKA_VERSION}"
    jars = provide_jars(folder / "jars", read_pins(), reporter)
    checkpoint = folder / CHECKPOINT
    if not checkpoint.exists():
        with exclusive(folder, lambda: reporter.say("Waiting for another process that prepares Kafka ...")):
            _prepare(checkpoint, jars)
    return KafkaHome(jars=jars, bootstrap_metadata=checkpoint.read_bytes())


def _prepare(checkpoint: Path, jars: tuple[Path, ...]) -> None:
    """Let Kafka format a storage folder once; the metadata it writes there names no node and no cluster."""
    guard = Guard(None)
    try:
        write_whole(checkpoint, _formatted_metadata(guard, jars))
    finally:
        guard.close()


def _formatted_metadata(guard: Guard, jars: tuple[Path, ...]) -> bytes:
    properties = broker_properties(1, [NodePorts(client=1, controller=2)], {})
    write_whole(guard.folder / "server.properties", properties_text(properties).encode())
    arguments = ("format", "-t", "AAAAAAAAAAAAAAAAAAAAAQ", "-c", "server.properties")
    program = Program(
        name="kafka-format",
        argv=java_command(jars, guard.folder, "kafka.tools.StorageTool", *arguments),
        cwd=guard.folder,
        env=ENVIRONMENT,
        log=guard.folder / "format.log",
        ready=lambda _launch: True,
    )
    run_to_end(guard, program)
    (written,) = (guard.folder / "data").glob("__cluster_metadata-0/*.checkpoint")
    return written.read_bytes()
