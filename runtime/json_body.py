"""JSON bodies of routes that take a model: read within limits, parsed strictly, then checked."""

from typing import TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError

from events.errors import InvalidJson
from events.json_text import Json, parse
from runtime.problems import Problem
from runtime.settings import Settings

M = TypeVar("M", bound=BaseModel)


async def read_json(request: Request, model: type[M]) -> M:
    """The body as a model; raise `Problem` 415, 413, or 400 with the `pointer` to what is wrong.

    What was sent is never quoted: it may be a password.
    """
    settings: Settings = request.app.state.settings
    _check_type(request)
    value = _parsed(await _body_within(request, settings.max_json_bytes))
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise _problem_of(error) from None


def _check_type(request: Request) -> None:
    given = request.headers.getlist("content-type")
    media_type = given[0].partition(";")[0].strip().lower() if len(given) == 1 else ""
    if media_type != "application/json":
        raise Problem(
            "unsupported_media_type",
            415,
            "send `Content-Type: application/json`",
            headers={"Accept": "application/json"},
        )


async def _body_within(request: Request, limit: int) -> bytes:
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > limit:
            raise Problem("body_too_large", 413, f"a body has at most {limit} bytes here", limit=limit)
    return bytes(body)


def _parsed(body: bytes) -> Json:
    try:
        return parse(body)
    except InvalidJson as error:
        raise Problem(error.code, 400, error.reason) from None


def _problem_of(error: ValidationError) -> Problem:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    pointer = "".join(f"/{_escaped(str(part))}" for part in first["loc"])
    reason = first["msg"].removeprefix("Value error, ")
    return Problem("invalid_body", 400, f"{pointer or 'the body'}: {reason}", pointer=pointer)


def _escaped(part: str) -> str:
    return part.replace("~", "~0").replace("/", "~1")
