"""Answers to what never became a request, as they go over the wire."""

import json
import secrets

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from runtime.problems import MEDIA_TYPE, Problem, body_of
from runtime.request_ids import HEADER


def raw_answer(problem: Problem) -> bytes:
    """An HTTP/1.1 response with a problem document, after which the connection is closed."""
    request_id = secrets.token_hex(16)
    body = json.dumps(body_of(problem, request_id)).encode()
    headers = {
        "Content-Type": MEDIA_TYPE,
        "Content-Length": str(len(body)),
        "Connection": "close",
        "X-Content-Type-Options": "nosniff",
        HEADER: request_id,
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return b"".join((STATUS_LINE[problem.status], lines.encode(), b"\r\n", body))
