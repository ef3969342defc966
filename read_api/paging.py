"""Page tokens: the place after a page's last row, good for the same question only."""

import base64
from hashlib import blake2b
from typing import Annotated, TypeVar

from pydantic import Field, TypeAdapter, ValidationError

from events.json_text import Json, dump
from read_api.problems import bad_page

Place = TypeVar("Place")

MAX_ORDINAL = 2**63 - 1
ORDINAL = TypeAdapter(tuple[Annotated[int, Field(ge=1, le=MAX_ORDINAL)]])
"""The place of a row in the order of versions or of sequences."""

_DIGEST_BYTES = 8


def page_token(question: Json, place: tuple[str | int, ...]) -> str:
    """The token of a place in the answer to a question (its team, filters and sort)."""
    payload = dump(place)
    return base64.urlsafe_b64encode(_digest(question, payload) + payload).decode()


def read_page_token(token: str, question: Json, shape: TypeAdapter[Place]) -> Place:
    """The place that a token names; raise `Problem` 400 `bad_page` unless it is of this question."""
    try:
        raw = base64.urlsafe_b64decode(token)
        digest, payload = raw[:_DIGEST_BYTES], raw[_DIGEST_BYTES:]
        if base64.urlsafe_b64encode(raw).decode() == token and digest == _digest(question, payload):
            return shape.validate_json(payload, strict=True)
    except (ValueError, ValidationError):
        pass
    raise bad_page()


def _digest(question: Json, payload: bytes) -> bytes:
    """Not a secret: it tells mistakes, and a place that someone made up shows them nothing new."""
    return blake2b(dump(question) + payload, digest_size=_DIGEST_BYTES).digest()
