"""`python -m devstack`: run Kafka, PostgreSQL and Redis until Ctrl-C or SIGTERM."""

import argparse
import shlex
import signal
import sys
from pathlib import Path
from types import FrameType

from devstack.errors import DevStackError
from devstack.files import write_whole
from devstack.progress import Reporter
from devstack.stack import DevStack, StackOptions

ENDINGS = (signal.SIGINT, signal.SIGTERM)
LOOK_SECONDS = 1.0


def main() -> int:
    """Run real Kafka, PostgreSQL and Redis, and say where, until Ctrl-C or SIGTERM."""
    arguments = _arguments()
    reporter = Reporter()
    signal.signal(signal.SIGTERM, _interrupt)
    options = StackOptions(data_dir=arguments.data_dir, brokers=arguments.brokers)
    try:
        with DevStack(options, reporter) as stack:
            _announce(stack, arguments.print_env, reporter)
            _stay(stack)
    except KeyboardInterrupt:
        reporter.say("The devstack has ended.")
        return 0
    except DevStackError as error:
        reporter.say(str(error))
        return 1
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m devstack", description=main.__doc__)
    parser.add_argument("--data-dir", type=Path, help="keep the data here (else it is thrown away)")
    parser.add_argument("--brokers", type=int, choices=(1, 3), default=1, help="number of Kafka brokers")
    parser.add_argument("--print-env", type=Path, metavar="FILE", help="write the export lines here too")
    return parser.parse_args()


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _announce(stack: DevStack, print_env: Path | None, reporter: Reporter) -> None:
    lines = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in stack.environment().items())
    sys.stdout.write(lines)
    sys.stdout.flush()
    reporter.say("Kafka, PostgreSQL and Redis are up; Ctrl-C ends them.")
    # Last: who waits for the file may end the stack at once, and everything has been said by then.
    if print_env is not None:
        write_whole(print_env, lines.encode())


def _stay(stack: DevStack) -> None:
    """Wait for a signal to end. Raises KeyboardInterrupt then, ServiceError if a part ends by itself."""
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDINGS)  # a signal between two looks waits for the next
    while signal.sigtimedwait(ENDINGS, LOOK_SECONDS) is None:
        stack.check()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDINGS)
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
