"""A supervisor, for tests: `python -m tests.one_supervisor NAME:STAGE:HOW...`, with short pauses."""

import asyncio
import sys

from runtime.logs import configure
from runtime.settings import Settings
from server.child import Backoff, Program
from server.supervisor import supervise


def program(description: str) -> Program:
    name, stage, how = description.split(":")
    command = (sys.executable, "-m", "tests.one_child", name, how)
    return Program(name=name, command=command, stage=int(stage))


if __name__ == "__main__":
    configure(Settings.model_construct(), "supervisor")
    programs = [program(description) for description in sys.argv[1:]]
    backoff = Backoff(first_s=0.1, longest_s=0.4, steady_s=60)
    sys.exit(asyncio.run(supervise(programs, stop_s=2, backoff=backoff)))
