"""Errors that nobody expected: answered within the edge, so that the answer bears its headers."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from runtime.problems import problem_of, response_of


class Bugs:
    """ASGI middleware: answers an error with its problem, and lets it go on to where it is logged."""

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
        except Exception as error:
            if scope["type"] == "http" and not begun:
                await response_of(problem_of(error), scope)(scope, receive, send)
            raise
