"""A client that keeps to no rule costs little, is told what is wrong, and is let go."""

import contextlib
from collections.abc import AsyncIterator
from time import monotonic

import pytest

from tests.edge import Wire, served, wire_to
from tests.waiting import eventually
from tests.web import development

GOOD = b"POST /size HTTP/1.1\r\nHost: t\r\nContent-Length: 2\r\n\r\nok"
LIMITS = {
    "max_target_bytes": 1000,
    "max_headers": 20,
    "max_header_bytes": 4000,
    "header_timeout_s": 0.5,
    "body_timeout_s": 0.5,
    "max_connections": 5,
}


@pytest.fixture
async def port() -> AsyncIterator[int]:
    async with served(development(**LIMITS)) as port:
        yield port


async def ask(port: int, *pieces: bytes) -> tuple[int, str]:
    """The status and code of the answer, or (0, ""); then the connection is closed."""
    async with wire_to(port) as wire:
        with contextlib.suppress(ConnectionError):
            for piece in pieces:
                await wire.send(piece)
        status, headers, body = await wire.answer()
        if status:
            assert headers["x-request-id"] == body["request_id"]
            assert headers["connection"] == "close"
            assert await wire.is_closed()
        return status, body["code"] if body else ""


async def is_served(wire: Wire) -> bool:
    await wire.send(GOOD)
    status, _, body = await wire.answer()
    return (status, body) == (200, 2)


async def test_a_request_within_the_limits_is_served_and_the_connection_kept(port: int) -> None:
    headers = b"".join(b"X-%d: %s\r\n" % (number, b"v" * 150) for number in range(18))
    async with wire_to(port) as wire:
        for _ in range(3):
            await wire.send(GOOD.replace(b"Host: t\r\n", b"Host: t\r\n" + headers))
            assert (await wire.answer())[0] == 200


@pytest.mark.parametrize("cut", [1, 7, 100, 10_000])
async def test_a_target_that_is_too_long_is_refused(port: int, cut: int) -> None:
    request = GOOD.replace(b"/size", b"/size?" + b"x" * 1000)
    pieces = [request[at : at + cut] for at in range(0, len(request), cut)]
    assert await ask(port, *pieces) == (414, "target_too_long")


@pytest.mark.parametrize(
    "headers",
    [
        b"".join(b"X-%d: v\r\n" % number for number in range(30)),
        b"X: " + b"v" * 5000 + b"\r\n",
        b"N" * 5000 + b": v\r\n",
        b"X: " + b"v" * 3000 + b"\r\nY: " + b"v" * 3000 + b"\r\n",
    ],
)
async def test_headers_beyond_the_limits_are_refused(port: int, headers: bytes) -> None:
    request = GOOD.replace(b"Host: t\r\n", b"Host: t\r\n" + headers)
    assert await ask(port, request) == (431, "headers_too_large")


async def test_a_header_that_never_ends_is_not_kept(port: int) -> None:
    async with wire_to(port) as wire:
        await wire.send(b"GET / HTTP/1.1\r\nX: ")
        sent = 0
        with contextlib.suppress(ConnectionError):
            while sent < 50_000_000:
                await wire.send(b"v" * 10_000)
                sent += 10_000
        assert sent < 50_000_000


async def test_a_head_that_comes_drop_by_drop_is_ended_in_time(port: int) -> None:
    began = monotonic()
    async with wire_to(port) as wire:
        await wire.send(GOOD[:30])
        status, _, body = await wire.answer()
    assert (status, body["code"]) == (408, "request_timeout")
    assert monotonic() - began < 5


@pytest.mark.parametrize("sent", [b"", b"\r\n\r\n"])
async def test_a_connection_that_asks_for_nothing_is_closed(port: int, sent: bytes) -> None:
    async with wire_to(port) as wire:
        await wire.send(sent)
        assert await wire.is_closed()


async def test_a_kept_connection_has_the_same_time_for_its_next_head(port: int) -> None:
    async with wire_to(port) as wire:
        assert await is_served(wire)
        await wire.send(GOOD[:30])
        assert (await wire.answer())[0] == 408


async def test_a_body_that_does_not_come_is_ended_in_time(port: int) -> None:
    async with wire_to(port) as wire:
        await wire.send(GOOD[:-1])
        status, headers, body = await wire.answer()
        assert (status, body["code"]) == (408, "request_timeout")
        assert headers["connection"] == "close"


async def test_a_body_that_goes_on_behind_its_answer_is_ended_in_time(port: int) -> None:
    async with wire_to(port) as wire:
        await wire.send(b"POST /nowhere HTTP/1.1\r\nHost: t\r\nContent-Length: 1000\r\n\r\n")
        assert (await wire.answer())[0] == 404

        async def is_ended() -> bool:
            try:
                await wire.send(b"x")
            except ConnectionError:
                return True
            return False

        await eventually(is_ended, within=5)


async def test_connections_beyond_the_limit_are_told_so_and_health_still_answers(port: int) -> None:
    wires = [await Wire.to(port) for _ in range(5)]
    try:
        assert all([await is_served(wire) for wire in wires])
        assert await ask(port, GOOD) == (503, "overloaded")
        async with wire_to(port) as wire:
            await wire.send(b"GET /health/live HTTP/1.1\r\nHost: t\r\n\r\n")
            assert (await wire.answer())[0] == 200
    finally:
        for wire in wires:
            wire.close()


@pytest.mark.parametrize(
    "request_",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET  HTTP/1.1\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: t\r\n\r\n",
        b"CONNECT t:1 HTTP/1.1\r\nHost: t\r\n\r\n",
        b"GET http://[ HTTP/1.1\r\nHost: t\r\n\r\n",
        b"POST /size HTTP/1.1\r\nHost: t\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST /size HTTP/1.1\r\nHost: t\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"POST /size HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
async def test_what_is_no_http_is_a_bad_request(port: int, request_: bytes) -> None:
    assert await ask(port, request_) == (400, "bad_request")
