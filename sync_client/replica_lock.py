"""One writer per replica across processes: an advisory lock that the kernel drops with its process."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sync_client.errors import ReplicaLocked


@contextmanager
def writer_lock(path: Path) -> Iterator[None]:
    """Hold the lock file, which names the holder's process id; raise `ReplicaLocked` if another holds it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ReplicaLocked(os.pread(descriptor, 32, 0).decode("ascii", "replace").strip()) from None
        # The file stays: removing it would let two processes lock two files of one name.
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, b"%d\n" % os.getpid(), 0)
        yield
    finally:
        os.close(descriptor)
