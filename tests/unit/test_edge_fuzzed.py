"""Whatever stands in a request's head, the server does not fail."""

from collections.abc import AsyncIterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.edge import served, wire_to
from tests.web import development

NAMES = (
    *("Host", "Authorization", "Prefer", "API-Version", "X-Request-Id", "Origin", "If-None-Match", "Accept"),
    *("X-Forwarded-For", "X-Forwarded-Proto", "Access-Control-Request-Method", "Content-Type", "Cookie"),
    *("Access-Control-Request-Headers", "Range", "Upgrade", "Connection", "Expect", "Last-Event-ID"),
)
PATHS = (b"/", b"/api/v1/client", b"/api/v1/", b"/api/v2/", b"/api/", b"/health/", b"/docs", b"*")
VALUES = st.one_of(
    st.binary(max_size=60),
    st.sampled_from(
        [b"*", b"1", b"https://a.example", b"GET", b"close", b"Bearer dev-ada", b"wait=1", b"https"]
    ),
)
HEADERS = st.lists(st.tuples(st.sampled_from(NAMES), VALUES), max_size=8)


@pytest.fixture(scope="module")
async def port() -> AsyncIterator[int]:
    allowing = development(
        cors_origins="https://a.example", trusted_proxies="127.0.0.1", allowed_hosts="a.example"
    )
    async with served(allowing) as port:
        yield port


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    method=st.sampled_from([b"GET", b"POST", b"OPTIONS", b"HEAD", b"PUT", b"PATCH", b"TRACE"]),
    path=st.sampled_from(PATHS),
    rest=st.binary(max_size=30),
    headers=HEADERS,
)
async def test_no_head_makes_it_fail(
    port: int, method: bytes, path: bytes, rest: bytes, headers: list[tuple[str, bytes]]
) -> None:
    lines = b"".join(name.encode() + b": " + _one_line(value) + b"\r\n" for name, value in headers)
    target = path + _one_line(rest).replace(b" ", b"")
    request = method + b" " + target + b" HTTP/1.1\r\n" + lines + b"Connection: close\r\n\r\n"
    async with wire_to(port) as wire:
        await wire.send(request)
        assert 200 <= await wire.status() < 500


def _one_line(value: bytes) -> bytes:
    return value.replace(b"\r", b"").replace(b"\n", b"")
