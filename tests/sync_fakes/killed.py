"""The command line in a process that is killed at its nth step: an SQL statement, a request or an answer."""

import os
import signal
import sqlite3
import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import TypeVar

from events.json_text import Json
from sync_client import command_line, pull, replica
from sync_client.http_transport import HttpTransport
from sync_client.wire import Answer, ChangesPage

_Result = TypeVar("_Result")
_connect = replica._connect
_send = HttpTransport.send
_changes = HttpTransport.changes


class Steps:
    """Counts the steps, and ends the process at the one it was told."""

    def __init__(self, fatal: int) -> None:
        self.count = 0
        self._fatal = fatal

    def step(self, _what: object = None) -> None:
        self.count += 1
        if self.count == self._fatal:
            os.kill(os.getpid(), signal.SIGKILL)


def main(fatal: int, arguments: list[str], output: Path, token: str) -> None:
    """Run the command line with a step before every statement, and on either side of the network.

    With 0 as the fatal step it runs to its end, and the output ends in the number of steps.
    """
    os.environ["PATTERNLOG_TOKEN"] = token
    with output.open("w") as file, redirect_stdout(file), redirect_stderr(file):
        _run(Steps(fatal), arguments)


def _run(steps: Steps, arguments: list[str]) -> None:
    def connect(path: Path, mode: str) -> sqlite3.Connection:
        connection = _connect(path, mode)
        connection.set_trace_callback(steps.step)
        return connection

    async def send(self: HttpTransport, commands: Sequence[dict[str, Json]]) -> list[Answer]:
        steps.step()
        answers = await _send(self, commands)
        steps.step()
        return answers

    async def changes(
        self: HttpTransport, cursor: str | None, *, at_least: str | None, limit: int
    ) -> ChangesPage:
        steps.step()
        page = await _changes(self, cursor, at_least=at_least, limit=limit)
        steps.step()
        return page

    def stepping(call: Callable[..., Awaitable[_Result]]) -> Callable[..., Awaitable[_Result]]:
        async def stepped(*given: object) -> _Result:
            steps.step()
            answer = await call(*given)
            steps.step()
            return answer

        return stepped

    for name in ("tree_head", "consistency", "server_keys"):
        setattr(HttpTransport, name, stepping(getattr(HttpTransport, name)))
    replica._connect = connect
    HttpTransport.send = send  # type: ignore[method-assign]
    HttpTransport.changes = changes  # type: ignore[method-assign]
    pull.PAGE = 10
    sys.argv = ["patternlog", *arguments]
    try:
        command_line.main()
    finally:
        sys.stderr.write(f"steps {steps.count}\n")
