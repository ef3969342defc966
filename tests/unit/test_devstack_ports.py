"""Ports that are held for a service, also while it does not run."""

import socket
from collections.abc import Iterator

import pytest

from devstack.ports import HOST, Ports


@pytest.fixture
def ports() -> Iterator[Ports]:
    ports = Ports()
    yield ports
    ports.release()


def server_on(port: int) -> socket.socket:
    """A server as Java, PostgreSQL and Redis make it: with SO_REUSEADDR."""
    server = socket.socket()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind((HOST, port))
    server.listen()
    return server


def test_a_server_can_use_a_reserved_port_again_and_again(ports: Ports) -> None:
    port = ports.reserve()
    for _ in range(3):
        with server_on(port), socket.create_connection((HOST, port)):
            pass


def test_a_reserved_port_is_refused_to_who_just_takes_it(ports: Ports) -> None:
    port = ports.reserve()
    with socket.socket() as other, pytest.raises(OSError, match="Address already in use"):
        other.bind((HOST, port))


def test_reserved_ports_differ_and_the_system_gives_none_of_them_away(ports: Ports) -> None:
    reserved = {ports.reserve() for _ in range(200)}
    assert len(reserved) == 200
    others = [socket.create_server((HOST, 0)) for _ in range(200)]
    assert reserved.isdisjoint(other.getsockname()[1] for other in others)
    for other in others:
        other.close()


def test_two_stacks_never_get_the_same_port(ports: Ports) -> None:
    rival = Ports()
    mine = {ports.reserve() for _ in range(200)}
    assert mine.isdisjoint(rival.reserve() for _ in range(200))
    rival.release()


def test_a_released_port_is_free(ports: Ports) -> None:
    port = ports.reserve()
    ports.release()
    with socket.create_server((HOST, port), reuse_port=False) as server:
        assert server.getsockname()[1] == port
