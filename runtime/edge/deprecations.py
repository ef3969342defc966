"""What of the API will go, and since when and until when that is said (RFC 9745, RFC 8594)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime

from starlette.types import Message, Scope

from runtime.edge.response_headers import Header, Source


@dataclass(frozen=True, kw_only=True)
class Deprecation:
    """A route that will go: method and template, two moments in UTC, and the page that says what to do."""

    method: str
    path: str
    since: datetime
    sunset: datetime | None
    link: str


DEPRECATED: tuple[Deprecation, ...] = ()
"""Every route that is to go; docs/api-versions.md says what is promised."""


def deprecation_headers(deprecated: Sequence[Deprecation], templates: Mapping[object, str]) -> Source:
    """The headers of deprecated routes; `templates` are those of the endpoints."""
    headers = {(one.method, one.path): _headers_of(one) for one in deprecated}

    def source(scope: Scope, _message: Message) -> Iterable[Header]:
        template = templates.get(scope.get("endpoint"), "")
        return headers.get((scope["method"], template), ())

    return source


def _headers_of(one: Deprecation) -> list[Header]:
    headers = [
        (b"deprecation", f"@{int(one.since.timestamp())}".encode()),
        (b"link", f'<{one.link}>; rel="deprecation"; type="text/html"'.encode()),
    ]
    if one.sunset is not None:
        headers.append((b"sunset", format_datetime(one.sunset, usegmt=True).encode()))
    return headers
