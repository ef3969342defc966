"""`python -m demo`: the story; `up` and `down`: the same services, left running."""

import argparse
import signal
import sys
from collections.abc import Callable, Mapping
from types import FrameType

from demo import background
from demo.client import ClientFailed
from demo.story import tell
from devstack.errors import DevStackError
from devstack.progress import Reporter

COMMANDS: Mapping[str, Callable[[Reporter], None]] = {
    "story": tell,
    "up": background.up,
    "down": background.down,
    "stay": background.stay,
}


def main() -> int:
    """Run a command; the exit code is 0, 1 when something failed, 130 after Ctrl-C or SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    parser.add_argument("command", nargs="?", choices=sorted(COMMANDS), default="story")
    reporter = Reporter()
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        COMMANDS[parser.parse_args().command](reporter)
    except KeyboardInterrupt:
        reporter.say("Stopped; nothing is left running.")
        return 130
    except (DevStackError, ClientFailed) as error:
        reporter.say(str(error))
        return 1
    return 0


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
