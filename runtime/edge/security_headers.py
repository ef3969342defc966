"""What browsers are told not to do with our answers (OWASP REST Security Cheat Sheet)."""

from collections.abc import Iterable

from starlette.types import Message, Scope

from runtime.edge.body_limit import AUTH_PATH
from runtime.edge.response_headers import Header, Source
from runtime.settings import Environment

DOCS_PATH = "/docs"
_ALWAYS: list[Header] = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
    (b"cross-origin-resource-policy", b"same-origin"),
]
_HSTS: Header = (b"strict-transport-security", b"max-age=63072000; includeSubDomains")
_NOTHING: Header = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")
_A_PAGE: Header = (
    b"content-security-policy",
    b"default-src https: 'unsafe-inline'; connect-src 'self'; img-src https: data:; frame-ancestors 'none'",
)
"""For the page that shows the API in development: its program comes from elsewhere."""
_NO_STORE: Header = (b"cache-control", b"no-store")


def security_headers(environment: Environment) -> Source:
    """The headers for where the service runs: over plain HTTP, as in development, browsers ignore HSTS."""
    common = _ALWAYS if environment is Environment.DEVELOPMENT else [*_ALWAYS, _HSTS]
    of_api, of_page = [*common, _NOTHING], [*common, _A_PAGE]
    of_auth = [*of_api, _NO_STORE]

    def source(scope: Scope, message: Message) -> Iterable[Header]:
        path: str = scope["path"]
        if path.startswith(AUTH_PATH) and not _says_how_to_cache(message):
            return of_auth
        return of_page if path == DOCS_PATH else of_api

    return source


def _says_how_to_cache(message: Message) -> bool:
    return any(name.lower() == b"cache-control" for name, _ in message.get("headers", ()))
