"""The limit of a request's body: by what it announces, and by what it sends."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from runtime.problems import Problem, response_of

AUTH_PATH = "/api/v1/auth"
"""Under which people are let in: whoever sends there need not be known, and sends little."""


class BodyLimit:
    """ASGI middleware: answers 413 `body_too_large` before more than `limit` bytes are kept.

    Under `AUTH_PATH` no more than `of_auth` are.
    """

    def __init__(self, app: ASGIApp, limit: int, of_auth: int) -> None:
        self._app = app
        self._limit = limit
        self._of_auth = min(limit, of_auth)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = self._of_auth if scope["path"].startswith(AUTH_PATH) else self._limit
        announced = _announced(scope)
        if announced is None:
            await self._app(scope, _counted(receive, limit), send)
        elif announced > limit:
            await response_of(_problem(limit), scope)(scope, receive, send)
        else:
            # The server reads no more of a body than it announces.
            await self._app(scope, receive, send)


def _counted(receive: Receive, limit: int) -> Receive:
    seen = 0

    async def receive_within_limit() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > limit:
            raise _problem(limit)
        return message

    return receive_within_limit


def _problem(limit: int) -> Problem:
    return Problem("body_too_large", 413, f"a body has at most {limit} bytes", limit=limit)


def _announced(scope: Scope) -> int | None:
    length: int | None = None
    for name, value in scope["headers"]:
        if name == b"transfer-encoding":
            return None
        if name == b"content-length" and value.isdigit():
            length = int(value)
    return length
