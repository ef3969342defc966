"""The devstack's end of its guardian: start it, ask it for something, let it go."""

import contextlib
import itertools
import json
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from devstack.errors import DataDirInUse, DataDirUnusable, DevStackError, GuardianGone, UnsupportedPlatform

# Without the site's packages it starts fast, whatever is installed.
LAUNCH = f"""
import sys
sys.path.append({str(Path(__file__).parents[1])!r})
from devstack.guardian.loop import main
main()
"""
GONE = "The devstack's guardian has ended, and the services with it"


class Guard:
    """A guardian process with the folder it holds. What it starts dies with it, and it dies with us."""

    def __init__(self, data_dir: Path | None) -> None:
        if not sys.platform.startswith("linux"):
            raise UnsupportedPlatform("The devstack needs Linux; elsewhere use docker-compose.yml")
        self._lock = threading.Lock()
        self._numbers = itertools.count()
        self._owner = os.getpid()
        self._socket, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", LAUNCH, str(os.getpid()), *_given(data_dir)],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                start_new_session=True,
            )
        self._lines = self._socket.makefile("rb")
        greeting = self._receive()
        if "error" in greeting:
            self.close()
            raise _unusable(data_dir, greeting)
        self.folder = Path(greeting["folder"])

    def request(self, op: str, **arguments: Any) -> dict[str, Any]:
        """Ask the guardian for something and wait for its answer. Raises OSError if it could not be done."""
        if os.getpid() != self._owner:
            raise DevStackError("The devstack belongs to the process that this one was forked off")
        with self._lock:
            number = next(self._numbers)
            self._send({"op": op, "id": number} | arguments)
            # An interrupted request leaves its answer behind.
            while (answer := self._receive())["id"] != number:
                continue
        if "error" in answer:
            raise OSError(answer["error"])
        return answer

    def _send(self, request: dict[str, Any]) -> None:
        try:
            self._socket.sendall(json.dumps(request).encode() + b"\n")
        except OSError as error:
            raise GuardianGone(GONE) from error

    def _receive(self) -> dict[str, Any]:
        try:
            line = self._lines.readline()
        except (OSError, ValueError) as error:  # reset, or closed by `close`
            raise GuardianGone(GONE) from error
        if not line:
            raise GuardianGone(GONE)
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        """Kill what still runs, remove the data if it is to be thrown away, and wait until that is done."""
        if os.getpid() != self._owner:
            return  # a forked child has no say over its parent's stack
        with contextlib.suppress(OSError):  # closed before, or the guardian is gone
            self._socket.shutdown(socket.SHUT_RDWR)
        self._process.wait()
        self._lines.close()
        self._socket.close()


def _given(data_dir: Path | None) -> list[str]:
    return [] if data_dir is None else [str(data_dir.absolute())]


def _unusable(data_dir: Path | None, greeting: dict[str, Any]) -> DevStackError:
    if data_dir is None:
        return DevStackError(f"No temporary folder can be made: {greeting['error']}")
    if greeting["error"] == "in use":
        return DataDirInUse(data_dir, greeting["holder"])
    return DataDirUnusable(data_dir, greeting["error"])
