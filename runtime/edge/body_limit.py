"""The limit of a request's body: by what it announces, and by what it sends."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from runtime.problems import Problem, response_of


class BodyLimit:
    """ASGI middleware: answers 413 `body_too_large` before more than `limit` bytes are kept."""

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        announced = _announced(scope)
        if announced is None:
            await self._app(scope, self._counted(receive), send)
        elif announced > self._limit:
            await response_of(self._problem(), scope)(scope, receive, send)
        else:
            # The server reads no more of a body than it announces.
            await self._app(scope, receive, send)

    def _counted(self, receive: Receive) -> Receive:
        seen = 0

        async def receive_within_limit() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self._limit:
                raise self._problem()
            return message

        return receive_within_limit

    def _problem(self) -> Problem:
        return Problem("body_too_large", 413, f"a body has at most {self._limit} bytes", limit=self._limit)


def _announced(scope: Scope) -> int | None:
    length: int | None = None
    for name, value in scope["headers"]:
        if name == b"transfer-encoding":
            return None
        if name == b"content-length" and value.isdigit():
            length = int(value)
    return length
