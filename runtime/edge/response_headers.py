"""Headers that answers bear whatever they say; where each comes from is said in a file of its own."""

from collections.abc import Callable, Iterable, Sequence

from starlette.types import ASGIApp, Message, Receive, Scope, Send

Header = tuple[bytes, bytes]
Source = Callable[[Scope, Message], Iterable[Header]]
"""The headers to add to the answer that begins with this message; by then its route is known."""


class ResponseHeaders:
    """ASGI middleware: adds what its sources give, to the answers of every layer within it."""

    def __init__(self, app: ASGIApp, sources: Sequence[Source]) -> None:
        self._app = app
        self._sources = sources

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = list(message.get("headers", ()))
                for source in self._sources:
                    headers.extend(source(scope, message))
                message["headers"] = headers
            await send(message)

        await self._app(scope, receive, send_with_headers)
