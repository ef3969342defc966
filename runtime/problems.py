"""Problem documents (RFC 9457): every error that a client sees, with a stable code."""

import json
from collections.abc import Mapping

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Scope

from events.json_text import Json
from runtime.request_ids import HEADER, request_id_of

MEDIA_TYPE = "application/problem+json"
_TYPE = "urn:patternlog:problem:"
CODES = {
    400: "bad_request",
    404: "not_found",
    405: "method_not_allowed",
    413: "body_too_large",
    415: "unsupported_media_type",
}
"""What errors of HTTP itself are called."""
OTHER = "http_error"


class Problem(Exception):
    """An error for the client; docs/problems.md explains each code. `members` are the body's others."""

    def __init__(
        self,
        code: str,
        status: int,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        **members: Json,
    ) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.status = status
        self.detail = detail
        self.headers = headers
        self.members = members


def body_of(problem: Problem, request_id: str) -> dict[str, Json]:
    """The members of a problem's document."""
    return {
        "type": _TYPE + problem.code,
        "title": problem.code.replace("_", " ").capitalize(),
        "status": problem.status,
        "code": problem.code,
        "detail": problem.detail,
        "request_id": request_id,
        **problem.members,
    }


def response_of(problem: Problem, scope: Scope) -> Response:
    """The answer to a request that ends in a problem."""
    # A detail may quote what a client sent; a lone surrogate in it must not break the answer.
    text = json.dumps(body_of(problem, request_id_of(scope)), ensure_ascii=False, separators=(",", ":"))
    return Response(
        text.encode("utf-8", "replace"),
        status_code=problem.status,
        headers=problem.headers,
        media_type=MEDIA_TYPE,
    )


def problem_of(error: Exception) -> Problem:
    """The problem that an error is to the client; a bug says nothing of itself."""
    match error:
        case Problem():
            return error
        case HTTPException():
            code = CODES.get(error.status_code, OTHER)
            return Problem(code, error.status_code, str(error.detail), headers=error.headers)
        case RequestValidationError():
            first = error.errors()[0]
            name, reason = str(first["loc"][-1]), first["msg"].removeprefix("Value error, ")
            return Problem("invalid_parameter", 400, f"{name}: {reason}", parameter=name)
        case _:
            return Problem("internal_error", 500, "the server failed; its log has the reason by request id")


def install(app: FastAPI) -> None:
    """Make a problem document of every error that the app can end in."""
    for kind in (Problem, HTTPException, RequestValidationError):
        app.add_exception_handler(kind, _answer)
    app.add_exception_handler(Exception, _answer_bug)


async def _answer(request: Request, error: Exception) -> Response:
    return response_of(problem_of(error), request.scope)


async def _answer_bug(request: Request, error: Exception) -> Response:
    response = await _answer(request, error)
    # This answer is sent from outside the middleware that adds the header to all others.
    response.headers[HEADER] = request_id_of(request.scope)
    return response
