"""How much of a request is read before it is given to the app, and for how long."""

from dataclasses import dataclass
from typing import Self

from runtime.problems import Problem
from runtime.settings import Settings


@dataclass(frozen=True, kw_only=True)
class HeadLimits:
    """Sizes in bytes, times in seconds, connections per process."""

    target_bytes: int
    header_count: int
    header_bytes: int
    head_s: float
    message_s: float
    connections: int

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Those that the settings name."""
        return cls(
            target_bytes=settings.max_target_bytes,
            header_count=settings.max_headers,
            header_bytes=settings.max_header_bytes,
            head_s=settings.header_timeout_s,
            # The app answers 408 when the body's time has passed; this ends who goes on even then.
            message_s=settings.body_timeout_s + settings.header_timeout_s,
            connections=settings.max_connections,
        )

    def target_too_long(self) -> Problem:
        """The answer to a path and query beyond the limit."""
        return Problem("target_too_long", 414, f"a path and its query have at most {self.target_bytes} bytes")

    def headers_too_large(self) -> Problem:
        """The answer to headers beyond the limits."""
        detail = f"a request has at most {self.header_count} headers with {self.header_bytes} bytes in all"
        return Problem("headers_too_large", 431, detail)

    def head_timeout(self) -> Problem:
        """The answer to a head that does not end."""
        return Problem("request_timeout", 408, f"the head of a request has to come within {self.head_s:g} s")
