"""What a broker is started from."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class KafkaHome:
    """Kafka's jars, options for the Java machine, and the metadata that a new cluster begins with."""

    jars: tuple[Path, ...]
    bootstrap_metadata: bytes
    java_options: tuple[str, ...] = ()
