"""What the edge can answer before a route is asked, for OpenAPI alone: an example of each problem."""

from runtime.authentication import unauthenticated
from runtime.problems import Problem

_RETRY = {"Retry-After": "1"}
_INVALID = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
_LIMITED = {
    "Retry-After": "12",
    "RateLimit-Policy": '"user";q=600;w=60',
    "RateLimit": '"user";r=0;t=12',
}

OF_THE_EDGE = (
    Problem("bad_request", 400, "the request cannot be read as HTTP"),
    Problem("request_timeout", 408, "the head of a request has to come within 10 s"),
    Problem("target_too_long", 414, "a path and its query have at most 16384 bytes"),
    Problem("headers_too_large", 431, "a request has at most 100 headers with 32768 bytes in all"),
    Problem("internal_error", 500, "the server failed; its log has the reason by request id"),
    Problem("stopping", 503, "the server stops; ask again", headers=_RETRY),
)
"""What any route can answer."""
OVERLOADED = (Problem("overloaded", 503, "the process has too many connections; ask again", headers=_RETRY),)
"""What any can but health."""
OF_THE_API = (
    Problem("unsupported_version", 400, "the header API-Version names none that there is", supported=["1"]),
    Problem("rate_limited", 429, "more than 600 a minute of user; ask again later", headers=_LIMITED),
)
"""What any route of the API can answer, whoever asks."""
TO_CALLERS = (
    unauthenticated("send `Authorization: Bearer <token>`, with an access token or an API key"),
    Problem(
        "token_expired",
        401,
        "the credential has expired: refresh the session, or log in again",
        headers=_INVALID,
    ),
    Problem("token_revoked", 401, "the credential was revoked: log in again", headers=_INVALID),
    Problem(
        "auth_unavailable",
        503,
        "whether the credential is still good cannot be told at the moment: try again",
        headers=_RETRY,
    ),
)
"""What a route can answer that asks who calls."""
TOLD_IN_HEADERS = {
    "Retry-After": "Seconds after which to ask again",
    "RateLimit-Policy": "Of each budget how much it holds (`q`), and for how many seconds (`w`)",
    "RateLimit": "What is left of each (`r`), and the seconds until it is full again (`t`)",
    "WWW-Authenticate": "How to say who you are (RFC 6750)",
}
"""The headers of problems that documents tell of."""
