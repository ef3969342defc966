"""Which pages of other origins may use the API from a browser (CORS)."""

from urllib.parse import urlsplit

from fastapi import FastAPI
from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from runtime.problems import Problem, response_of
from runtime.request_ids import HEADER
from runtime.settings import Environment, Settings
from runtime.startup_failures import Misconfigured

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
TAKEN = (
    *("API-Version", "Authorization", "Content-Type", "If-Match", "If-None-Match", "Last-Event-ID"),
    *("Prefer", HEADER),
)
SHOWN = (
    *("API-Version", "Deprecation", "ETag", "Link", "Location", "Preference-Applied", "Sunset"),
    *("Patternlog-Cursor", "Patternlog-Last-Sequence", "Retry-After", "WWW-Authenticate", HEADER),
    *("RateLimit", "RateLimit-Policy", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"),
)
"""What a page's program may read beside the body."""
_ANY = "*"
_PREFLIGHT_S = 600


class CrossOrigin(CORSMiddleware):
    """Starlette's, whose refusals are problem documents. Cookies are never taken, so none are allowed."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "OPTIONS" or not _is_preflight(Headers(scope=scope)):
            await super().__call__(scope, receive, send)
            return
        response = self.preflight_response(Headers(scope=scope))
        if response.status_code >= 400:
            response = response_of(_refusal(response), scope)
        await response(scope, receive, send)


def _is_preflight(headers: Headers) -> bool:
    return "origin" in headers and "access-control-request-method" in headers


def _refusal(response: Response) -> Problem:
    detail = bytes(response.body).decode().removeprefix("Disallowed CORS ")
    kept = {name: value for name, value in response.headers.items() if not name.startswith("content-")}
    return Problem("cross_origin_refused", 400, f"not allowed from other origins: {detail}", headers=kept)


def add_cross_origin(app: FastAPI, settings: Settings) -> None:
    """Add the middleware where origins are allowed; without it browsers refuse every other origin."""
    if origins := allowed_origins(settings):
        app.add_middleware(
            CrossOrigin,
            allow_origins=origins,
            allow_methods=METHODS,
            allow_headers=TAKEN,
            expose_headers=SHOWN,
            max_age=_PREFLIGHT_S,
        )


def allowed_origins(settings: Settings) -> list[str]:
    """The origins that the settings name; raise `Misconfigured` for what is none, and `*` in earnest."""
    origins = [origin.strip() for origin in settings.cors_origins.split(",") if origin.strip()]
    if _ANY in origins:
        if settings.environment is not Environment.DEVELOPMENT:
            raise Misconfigured("PATTERNLOG_CORS_ORIGINS: `*` is taken in development only; name the origins")
        return [_ANY]
    for origin in origins:
        if not _is_origin(origin):
            detail = f"{origin!r} is no origin such as https://app.example.org"
            raise Misconfigured(f"PATTERNLOG_CORS_ORIGINS: {detail}")
    return origins


def _is_origin(text: str) -> bool:
    parts = urlsplit(text)
    plain = parts.scheme in ("http", "https") and text == f"{parts.scheme}://{parts.netloc}"
    return plain and bool(parts.netloc) and not {"*", "@"} & set(text)
