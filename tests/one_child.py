"""A child under a supervisor, for tests: `python -m tests.one_child NAME HOW`. It says what it does."""

import os
import signal
import sys
import time
from types import FrameType

from server.lifeline import end_with_parent

FOR_EVER = 3600


def say(text: str) -> None:
    # One write, so that children who share a pipe do not mix their lines.
    os.write(sys.stdout.fileno(), f"{text}\n".encode())


def stop(_number: int, _frame: FrameType | None) -> None:
    say(f"{name} stops")
    sys.exit(0)


if __name__ == "__main__":
    name, how = sys.argv[1:]
    signal.signal(signal.SIGTERM, signal.SIG_IGN if how == "does not stop" else stop)
    end_with_parent(within_s=0.5)
    say(f"{name} starts {os.getpid()}")
    match how:
        case "fails":
            sys.exit(1)
        case "is misconfigured":
            sys.exit(2)
        case _:
            time.sleep(FOR_EVER)
