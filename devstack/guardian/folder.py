"""The folder of a stack: a given one, locked, or one of our own that goes with us."""

import fcntl
import os
import shutil
import tempfile
from pathlib import Path

LOCK = "devstack.lock"


class InUse(Exception):
    """Another stack holds the folder; carries the id of the process that it belongs to."""


class Folder:
    """Held until `leave`, or until the guardian dies."""

    def __init__(self, given: str | None) -> None:
        self._keep = given is not None
        self.path = Path(given or tempfile.mkdtemp(prefix="patternlog-devstack-"))
        self.path.mkdir(parents=True, exist_ok=True)
        self._lock = (self.path / LOCK).open("a+", encoding="ascii")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._lock.seek(0)
            raise InUse(self._lock.read().strip()) from None
        self._lock.truncate(0)
        self._lock.write(str(os.getppid()))
        self._lock.flush()

    def leave(self) -> None:
        """Remove the folder if it is our own."""
        if not self._keep:
            shutil.rmtree(self.path)
