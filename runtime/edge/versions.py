"""Which versions of the API there are, and the answer to a request for another one."""

import re
from collections.abc import Iterable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from runtime.edge.response_headers import Header
from runtime.problems import Problem, response_of

SUPPORTED = ("1",)
_PREFIX = "/api/"
_IN_PATH = re.compile(r"/api/v([0-9]+)(?:/.*)?", re.DOTALL)
_HEADER = b"api-version"
_SAID: list[Header] = [(_HEADER, b"1")]


class ApiVersions:
    """ASGI middleware: 404 `unknown_version` by the path, 400 `unsupported_version` by the header."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        problem = _problem_of(scope) if scope["type"] == "http" else None
        if problem is None:
            await self._app(scope, receive, send)
        else:
            await response_of(problem, scope)(scope, receive, send)


def version_header(scope: Scope, _message: Message) -> Iterable[Header]:
    """Every answer of the API says which version of it gave it."""
    return _SAID if scope["path"].startswith(_PREFIX) else ()


def _problem_of(scope: Scope) -> Problem | None:
    path: str = scope["path"]
    if not path.startswith(_PREFIX):
        return None
    in_path = _IN_PATH.fullmatch(path)
    if in_path is not None and in_path[1] not in SUPPORTED:
        return Problem(
            "unknown_version", 404, "there is no such version of the API", supported=list(SUPPORTED)
        )
    for name, value in scope["headers"]:
        if name == _HEADER and value.decode("latin-1").strip() not in SUPPORTED:
            detail = "the header API-Version names none that there is"
            return Problem("unsupported_version", 400, detail, supported=list(SUPPORTED))
    return None
