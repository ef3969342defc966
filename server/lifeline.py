"""A child's tie to its parent: a pipe on stdin, which the kernel closes however the parent ends."""

import os
import signal
import sys
import threading
import time


def end_with_parent(within_s: float) -> None:
    """Stop this process gracefully when stdin ends, and by force after `within_s` seconds more."""
    threading.Thread(target=_wait_and_end, args=(within_s,), name="lifeline", daemon=True).start()


def _wait_and_end(within_s: float) -> None:
    while os.read(sys.stdin.fileno(), 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    # The process ends before this does, unless it hangs.
    time.sleep(within_s)
    os._exit(1)
