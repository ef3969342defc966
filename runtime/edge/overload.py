"""What a process answers to connections beyond those that it can serve."""

from starlette.types import ASGIApp, Receive, Scope, Send

from runtime.problems import Problem, response_of


class Overloaded:
    """ASGI app in front of the real one: answers 503 `overloaded`, but leaves health to be asked for."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"].startswith("/health/"):
            await self._app(scope, receive, send)
            return
        headers = {"Retry-After": "1", "Connection": "close"}
        problem = Problem(
            "overloaded", 503, "the process has too many connections; ask again", headers=headers
        )
        await response_of(problem, scope)(scope, receive, send)
