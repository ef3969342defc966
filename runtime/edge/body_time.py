"""The time in which a request's body has to come."""

import asyncio
from time import monotonic

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from runtime.problems import Problem

_ANNOUNCING = frozenset({b"content-length", b"transfer-encoding"})


class BodyTime:
    """ASGI middleware: ends with 408 `request_timeout` a body that is not there after `seconds`."""

    def __init__(self, app: ASGIApp, seconds: float) -> None:
        self._app = app
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and any(name in _ANNOUNCING for name, _ in scope["headers"]):
            receive = self._timed(receive)
        await self._app(scope, receive, send)

    def _timed(self, receive: Receive) -> Receive:
        deadline = monotonic() + self._seconds
        complete = False

        async def receive_in_time() -> Message:
            nonlocal complete
            if complete:
                # What is waited for now is the end of the connection.
                return await receive()
            try:
                async with asyncio.timeout(deadline - monotonic()):
                    message = await receive()
            except TimeoutError:
                raise self._problem() from None
            complete = not message.get("more_body", False)
            return message

        return receive_in_time

    def _problem(self) -> Problem:
        detail = f"the body of a request has to come within {self._seconds:g} s"
        return Problem("request_timeout", 408, detail, headers={"Connection": "close"})
