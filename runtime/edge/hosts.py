"""The names under which the service may be asked for."""

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from runtime.problems import Problem, response_of


class AllowedHosts:
    """ASGI middleware: answers 421 `unknown_host` to a `Host` that is not named, but for health."""

    def __init__(self, app: ASGIApp, hosts: frozenset[str]) -> None:
        self._app = app
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith("/health/") or self._knows(scope):
            await self._app(scope, receive, send)
            return
        problem = Problem("unknown_host", 421, "this service is not asked for under that name")
        await response_of(problem, scope)(scope, receive, send)

    def _knows(self, scope: Scope) -> bool:
        given = Headers(scope=scope).getlist("host")
        return len(given) == 1 and _without_port(given[0]) in self._hosts


def _without_port(host: str) -> str:
    name, colon, port = host.lower().rpartition(":")
    return name if colon and port.isdigit() else host.lower()
