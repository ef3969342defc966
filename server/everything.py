"""`serve all`: gateway, decider and projector as children of one supervisor, under one base URL."""

import asyncio
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from runtime import logs
from runtime.listening import bound_socket, port_of
from runtime.settings import Settings
from server.announcement import announce
from server.child import Program
from server.process import Process
from server.supervisor import supervise

_STAGES = {Process.GATEWAY: 0, Process.DECIDER: 1, Process.PROJECTOR: 1}
"""The gateway stops first: while it drains, the others still answer what it waits for."""
_MARGIN_S = 2.0
"""What a child may take over its own limit before it is killed."""


def serve_all(settings: Settings) -> int:
    """Run everything until SIGTERM or SIGINT; the exit code. Raises `StartupFailure` if the port is taken."""
    logs.configure(settings, "supervisor")
    # One port for the gateway's whole life, also when the settings leave the choice to the system.
    with bound_socket(settings) as listener:
        port = port_of(listener)
    with tempfile.TemporaryDirectory(prefix="patternlog-") as folder:
        return asyncio.run(_serve_all(settings, port, Path(folder)))


async def _serve_all(settings: Settings, port: int, folder: Path) -> int:
    port_files = {process: folder / process.value for process in _STAGES}
    if settings.port_file:
        port_files[Process.GATEWAY] = Path(settings.port_file)
        port_files[Process.GATEWAY].unlink(missing_ok=True)
    # The stages stop one after the other, so each has its part of the time.
    each_s = settings.shutdown_s / len(set(_STAGES.values()))
    programs = [
        _program(process, stage, port if process is Process.GATEWAY else 0, port_files[process], each_s)
        for process, stage in _STAGES.items()
    ]
    announcing = asyncio.create_task(announce(settings.host, port_files))
    try:
        return await supervise(programs, stop_s=each_s + _MARGIN_S)
    finally:
        announcing.cancel()


def _program(process: Process, stage: int, port: int, port_file: Path, shutdown_s: float) -> Program:
    environment: Mapping[str, str] = {
        "PATTERNLOG_PORT": str(port),
        "PATTERNLOG_PORT_FILE": str(port_file),
        "PATTERNLOG_SHUTDOWN_S": str(shutdown_s),
    }
    # -P: a folder named like one of our packages, where the user happens to be, is not ours.
    command = (sys.executable, "-P", "-m", "server", "serve", process.value, "--supervised")
    return Program(name=process.value, command=command, environment=environment, stage=stage)
