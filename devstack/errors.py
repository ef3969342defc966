"""What can go wrong in a devstack.

DevStackError
├── UnsupportedPlatform
├── DataDirUnusable
│   └── DataDirInUse
├── GuardianGone
├── JarError
│   ├── JarDownloadFailed
│   └── JarChecksumMismatch
├── ProgramMissing
└── ServiceError
    └── ServiceStartFailed
        └── PortTaken
"""

from pathlib import Path


class DevStackError(Exception):
    """A devstack can't do what was asked; the text says why and is meant for the user."""


class UnsupportedPlatform(DevStackError):
    """The devstack needs Linux."""


class DataDirUnusable(DevStackError):
    """The data folder can't be used."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"The data folder {path} can't be used: {reason}")
        self.path = path


class DataDirInUse(DataDirUnusable):
    """Another devstack runs on the data folder."""

    def __init__(self, path: Path, holder: str) -> None:
        super().__init__(path, f"another devstack (started by process {holder or '?'}) runs on it")
        self.holder = holder


class GuardianGone(DevStackError):
    """The process that watches over the services has ended, and the services with it."""


class JarError(DevStackError):
    """A jar of Kafka's can't be had."""


class JarDownloadFailed(JarError):
    """A jar could not be downloaded."""

    def __init__(self, jar: str, reason: str) -> None:
        super().__init__(f"Kafka's jar {jar} could not be downloaded: {reason}")
        self.jar = jar


class JarChecksumMismatch(JarError):
    """A jar is not the one that is pinned; the file has been removed."""

    def __init__(self, jar: str, *, expected: str, actual: str) -> None:
        super().__init__(f"Kafka's jar {jar} has SHA-256 {actual}, pinned is {expected}; it has been removed")
        self.jar = jar
        self.expected = expected
        self.actual = actual


class ProgramMissing(DevStackError):
    """A program that the devstack needs is not installed."""


class ServiceError(DevStackError):
    """A service did not do what it was told; carries the last lines of its log."""

    def __init__(self, service: str, reason: str, log_tail: str = "") -> None:
        tail = f"; its log ends with:\n{log_tail}" if log_tail else ""
        super().__init__(f"{service}: {reason}{tail}")
        self.service = service
        self.reason = reason
        self.log_tail = log_tail


class ServiceStartFailed(ServiceError):
    """A service could not be started."""


class PortTaken(ServiceStartFailed):
    """A service could not be started because another process has its port."""
