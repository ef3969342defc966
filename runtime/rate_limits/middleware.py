"""Rate limits: who asks too much is told so before anything is done for them."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from runtime.problems import Problem, response_of
from runtime.rate_limits.headers import rate_headers
from runtime.rate_limits.limiting import draw, limiting_of, standings_in

_LIMITED = "/api/"
"""Health, metrics and public keys are not: who asks for them must get them."""


class RateLimits:
    """ASGI middleware: draws one for each request, answers 429 `rate_limited`, and says what is left."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(_LIMITED):
            await self._app(scope, receive, send)
            return
        limiting = limiting_of(scope)
        if limiting is None:
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *rate_headers(standings_in(scope))]
            await send(message)

        try:
            await draw(scope, limiting, limiting.allowances.budgets_of(scope), 1)
        except Problem as problem:
            await response_of(problem, scope)(scope, receive, send_with_headers)
        else:
            await self._app(scope, receive, send_with_headers)
