"""Free ports on 127.0.0.1, held for us from the moment they are found."""

import socket

HOST = "127.0.0.1"


class Ports:
    """Ports that no one else is given: a bound socket that does not listen keeps each of them.

    Linux lets a second socket bind and listen there if both have SO_REUSEADDR, as servers set it, so a
    service can be started, killed and started again on it; and the system gives no one else such a port.
    """

    def __init__(self) -> None:
        self._holders: list[socket.socket] = []

    def reserve(self) -> int:
        """A free port, ours until `release`."""
        holder = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._holders.append(holder)
        holder.bind((HOST, 0))
        # Set after the bind: with it set before, the system may hand out a port that another holder keeps.
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        number: int = holder.getsockname()[1]
        return number

    def release(self) -> None:
        """Give all ports up."""
        while self._holders:
            self._holders.pop().close()
