"""The guardian's life: hold the folder, do what the parent asks for, and clean up when the parent is gone."""

import json
import os
import selectors
import signal
import socket
import sys
from collections.abc import Iterator

from devstack.guardian import system
from devstack.guardian.folder import Folder, InUse
from devstack.guardian.services import Request, Services


def main() -> None:
    """Watch over one devstack; the arguments are the parent's process id and, if data is kept, its folder."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: None)  # not SIG_IGN, which the services would inherit
    system.adopt_orphans()
    client = _take_standard_input()
    try:
        folder = Folder(sys.argv[2] if len(sys.argv) > 2 else None)
    except InUse as error:
        return _reply(client, {"error": "in use", "holder": str(error)})
    except OSError as error:
        return _reply(client, {"error": str(error)})
    services = Services()
    try:
        _reply(client, {"folder": str(folder.path)})
        _serve(client, int(sys.argv[1]), services)
    finally:
        services.end()
        folder.leave()


def _take_standard_input() -> socket.socket:
    client = socket.socket(fileno=os.dup(0))
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    return client


def _serve(client: socket.socket, parent: int, services: Services) -> None:
    for request in _requests(client, parent):
        try:
            answer = services.answer(request)
        except OSError as error:
            answer = {"error": str(error)}
        _reply(client, answer | {"id": request["id"]})


def _requests(client: socket.socket, parent: int) -> Iterator[Request]:
    """What the parent asks for, until it closes the socket or dies."""
    selector = selectors.DefaultSelector()
    selector.register(client, selectors.EVENT_READ)
    # A process forked off the parent may hold the socket open; the parent's own death is seen all the same.
    watch = os.pidfd_open(parent)
    selector.register(watch, selectors.EVENT_READ)
    buffer = b""
    while os.getppid() == parent:
        ready = {key.fd for key, _events in selector.select()}
        if watch in ready or not (chunk := _received(client)):
            return
        *lines, buffer = (buffer + chunk).split(b"\n")
        yield from (json.loads(line) for line in lines)


def _received(client: socket.socket) -> bytes:
    try:
        return client.recv(65536)
    except ConnectionResetError:  # closed before it read our last answer
        return b""


def _reply(client: socket.socket, answer: Request) -> None:
    try:
        client.sendall(json.dumps(answer).encode() + b"\n")
    except (BrokenPipeError, ConnectionResetError):  # nobody listens: the loop is about to find out
        return
