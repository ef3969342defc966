"""Requests that a stop cuts off: their clients are told to ask again, in place of nothing."""

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from runtime.problems import Problem, response_of


class CutOff:
    """ASGI middleware: answers 503 `stopping` to a request that is cancelled before its answer began."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def send_and_look(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, send_and_look)
        except asyncio.CancelledError:
            if begun or scope["type"] != "http":
                raise
            problem = Problem("stopping", 503, "the server stops; ask again", headers={"Retry-After": "1"})
            await response_of(problem, scope)(scope, receive, send)
