"""The socket on which a process listens, and where it says which port that is."""

import os
import socket
from pathlib import Path

from runtime.settings import Settings
from runtime.startup_failures import Misconfigured


def bound_socket(settings: Settings) -> socket.socket:
    """A socket bound to the settings' address and not yet listening; raise `Misconfigured` if it is taken."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
        # A process that starts again takes its port back at once.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as error:
        raise Misconfigured(f"cannot listen on {settings.host}:{settings.port}: {error.strerror}") from error
    return listener


def port_of(listener: socket.socket) -> int:
    """The port that the socket is bound to."""
    return int(listener.getsockname()[1])


def write_port_file(path: str, port: int) -> None:
    """Write the port in one step, so that a reader never sees half of it; no path, no file."""
    if not path:
        return
    target = Path(path)
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        draft.write_text(f"{port}\n")
        draft.replace(target)
    except OSError as error:
        raise Misconfigured(f"cannot write PATTERNLOG_PORT_FILE {path}: {error.strerror}") from error
