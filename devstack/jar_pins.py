"""The jars that Kafka is made of, each pinned by the SHA-256 of its content."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from devstack.errors import JarChecksumMismatch

PINS = Path(__file__).parent / "kafka-jars.sha256"


@dataclass(frozen=True, kw_only=True)
class Jar:
    """A jar by its Maven coordinates and the SHA-256 of its content."""

    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def coordinates(self) -> str:
        return f"{self.group}:{self.artifact}:{self.version}"

    @property
    def file_name(self) -> str:
        return f"{self.artifact}-{self.version}.jar"

    def check(self, path: Path) -> None:
        """Raise JarChecksumMismatch, and remove the file, unless its content is the pinned one."""
        with path.open("rb") as file:
            actual = hashlib.file_digest(file, "sha256").hexdigest()
        if actual != self.sha256:
            path.unlink()
            raise JarChecksumMismatch(self.coordinates, expected=self.sha256, actual=actual)


def read_pins(path: Path = PINS) -> tuple[Jar, ...]:
    """The pinned jars, in the order of the file: lines of a sum and coordinates, comments after a #."""
    lines = (line.split("#")[0].split() for line in path.read_text(encoding="ascii").splitlines())
    return tuple(_pin(*fields) for fields in lines if fields)


def _pin(sha256: str, coordinates: str) -> Jar:
    group, artifact, version = coordinates.split(":")
    return Jar(group=group, artifact=artifact, version=version, sha256=sha256)
