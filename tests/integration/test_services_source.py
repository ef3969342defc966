"""Which services the tests run on."""

import os
import socket
import tempfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingUnixStreamServer

import pytest

from tests.services import (
    KAFKA,
    POSTGRES,
    REDIS,
    IncompleteServices,
    Services,
    Source,
    choose_source,
    docker_engine_answers,
)

NAMED = {
    KAFKA: "kafka.test:9092",
    POSTGRES: "postgresql://postgres.test/patternlog",
    REDIS: "redis://redis.test",
}


def an_engine() -> bool:
    return True


def no_engine() -> bool:
    return False


def not_asked() -> bool:
    raise AssertionError("the engine was asked")


def test_services_that_are_named_are_used_and_no_engine_is_asked() -> None:
    assert choose_source(NAMED, not_asked) is Source.ENVIRONMENT
    services = Services.of_environment(NAMED)
    assert (services.kafka_bootstrap, services.postgres_dsn, services.redis_url) == tuple(NAMED.values())
    assert services.stack is None


def test_without_names_a_docker_engine_is_used() -> None:
    assert choose_source({}, an_engine) is Source.TESTCONTAINERS


def test_without_names_and_without_an_engine_the_devstack_is_used() -> None:
    assert choose_source({}, no_engine) is Source.DEVSTACK


@pytest.mark.parametrize("forgotten", NAMED)
def test_a_service_that_was_not_named_beside_the_others_is_an_error_that_names_it(forgotten: str) -> None:
    with pytest.raises(IncompleteServices, match=f"not set: {forgotten}$"):
        choose_source(NAMED | {forgotten: ""}, not_asked)


class Engine(BaseHTTPRequestHandler):
    """As much of the engine's API as a ping needs."""

    def do_GET(self) -> None:
        body = b"OK" if self.path.endswith("/_ping") else b'{"ApiVersion": "1.50"}'
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def address_string(self) -> str:
        return "unix"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        pass


@pytest.fixture
def engine_socket() -> Iterator[Path]:
    # Not tmp_path: a Unix socket's path has to be short.
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder) / "engine.sock"


def environment_with(engine: Path) -> dict[str, str]:
    return os.environ | {"DOCKER_HOST": f"unix://{engine}", "HOME": str(engine.parent)}


def test_an_engine_that_answers_is_found(engine_socket: Path) -> None:
    with ThreadingUnixStreamServer(str(engine_socket), Engine) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        try:
            assert docker_engine_answers(environment_with(engine_socket))
        finally:
            server.shutdown()
            serving.join()


def test_an_engine_that_is_not_there_is_not_found(engine_socket: Path) -> None:
    assert not docker_engine_answers(environment_with(engine_socket))


def test_an_engine_that_never_answers_is_not_waited_for(engine_socket: Path) -> None:
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(engine_socket))
        silent.listen()
        assert not docker_engine_answers(environment_with(engine_socket), within=0.1)
