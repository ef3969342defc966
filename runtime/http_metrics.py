"""What each request came to: counted and timed by route, and one log line each at DEBUG."""

from collections.abc import Mapping
from functools import lru_cache
from time import perf_counter

import structlog
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from prometheus_client import Counter, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from runtime.metrics import HTTP_REQUESTS, HTTP_SECONDS

_log = structlog.get_logger(__name__)
_NO_ROUTE = "(none)"


class HttpMetrics:
    """ASGI middleware; routes are told apart by their template, so that ids make no series of their own.

    The access log is at DEBUG: a line per request costs more than everything else in front of a route.
    """

    def __init__(self, app: ASGIApp, templates: Mapping[object, str], access_log: bool) -> None:
        self._app = app
        self._templates = templates
        self._access_log = access_log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = 500
        started = perf_counter()

        async def send_and_look(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, send_and_look)
        finally:
            self._count(scope, status, perf_counter() - started)

    def _count(self, scope: Scope, status: int, seconds: float) -> None:
        route = self._templates.get(scope.get("endpoint"), _NO_ROUTE)
        requests, durations = _series(scope["method"], route, status)
        requests.inc()
        durations.observe(seconds)
        if self._access_log:
            _log.debug(
                "request",
                method=scope["method"],
                path=scope["path"],
                status=status,
                seconds=round(seconds, 6),
            )


def templates_of(app: FastAPI) -> dict[object, str]:
    """The path template of each endpoint, with the prefixes of all routers that it is included through."""
    contexts = iter_route_contexts(app.routes)
    return {context.endpoint: context.path for context in contexts if context.path is not None}


@lru_cache(maxsize=1024)
def _series(method: str, route: str, status: int) -> tuple[Counter, Histogram]:
    # Looking a series up by its labels costs five times as much as counting in it.
    return HTTP_REQUESTS.labels(method, route, status), HTTP_SECONDS.labels(method, route)
