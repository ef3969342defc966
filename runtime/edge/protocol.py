"""Uvicorn's protocol with bounds: how large a head may be, how long it may take, how many may connect."""

import asyncio
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from runtime.edge.head_limits import HeadLimits
from runtime.edge.overload import Overloaded
from runtime.edge.raw_answers import raw_answer
from runtime.problems import Problem
from runtime.request_ids import RequestIds
from runtime.settings import Settings


class _Refused(Exception):
    """Ends the parsing of a head; the parser makes an error of its own of it."""


class LimitedProtocol(HttpToolsProtocol):
    """One connection. The parser holds a header until it is complete, so reads are counted, too."""

    limits: HeadLimits

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._refusal: Problem | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._in_head = False
        self._in_body = False
        self._began_in_this_read = False
        self._read_bytes = 0
        self._header_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > self.limits.connections:
            self.app = RequestIds(Overloaded(self.app))
        self._start_timer(self.limits.head_s)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._began_in_this_read = False
        super().data_received(data)
        if self.transport.is_closing():
            self._stop_timer()
        elif self._in_body:
            self._start_timer(self.limits.message_s)
        elif self._in_head or self._is_idle():
            self._start_timer(self.limits.head_s)
            self._count_read(len(data))

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head = self._began_in_this_read = True
        self._read_bytes = self._header_bytes = 0

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        if len(self.url) > self.limits.target_bytes:
            self._refuse(self.limits.target_too_long())

    def on_header(self, name: bytes, value: bytes) -> None:
        self._header_bytes += len(name) + len(value)
        if len(self.headers) >= self.limits.header_count or self._header_bytes > self.limits.header_bytes:
            self._refuse(self.limits.headers_too_large())
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._stop_timer()
        self._in_head, self._in_body = False, True
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._stop_timer()
        self._in_body = False
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's signature
        """Answer with what is known to be wrong, and close."""
        self._end(self._refusal or Problem("bad_request", 400, "the request cannot be read as HTTP"))

    def _is_idle(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is None or cycle.response_complete

    def _count_read(self, size: int) -> None:
        if self._began_in_this_read:
            return  # some of it may belong to the message before; one read is bounded
        self._read_bytes += size
        if self._read_bytes > self.limits.target_bytes + self.limits.header_bytes:
            self._end(self.limits.headers_too_large())

    def _refuse(self, problem: Problem) -> None:
        self._refusal = problem
        raise _Refused

    def _end(self, problem: Problem) -> None:
        """Answer and close; where another answer is under way, only close."""
        if self._is_idle() or (self.cycle.scope is self.scope and not self.cycle.response_started):
            self.transport.write(raw_answer(problem))
        self.transport.close()
        self._stop_timer()

    def _start_timer(self, seconds: float) -> None:
        if self._timer is None:
            self._timer = self.loop.call_later(seconds, self._too_slow)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _too_slow(self) -> None:
        self._timer = None
        if self._in_head:
            self._end(self.limits.head_timeout())
        else:
            self.transport.close()


def protocol_of(settings: Settings) -> type[LimitedProtocol]:
    """The protocol with these limits; uvicorn makes one for each connection."""
    return type("LimitedProtocol", (LimitedProtocol,), {"limits": HeadLimits.of(settings)})
