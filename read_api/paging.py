"""Page tokens: the place after a page's last row, good for the same question only.

That of a page of the past begins with the points that it shows, so that every page shows the same.
"""

import base64
from hashlib import blake2b
from typing import Annotated, TypeVar

from pydantic import Field, TypeAdapter, ValidationError

from events.cursor import Cursor
from events.json_text import Json, dump
from read_api.problems import bad_page

Place = TypeVar("Place")

MAX_ORDINAL = 2**63 - 1
ORDINAL = TypeAdapter(tuple[Annotated[int, Field(ge=1, le=MAX_ORDINAL)]])
"""The place of a row in the order of versions or of sequences."""

_DIGEST_BYTES = 8
_POINT = "."
"""What stands between points and the rest; none of them can hold it."""


def next_page(question: Json, place: tuple[str | int, ...] | None, *points: Cursor | None) -> str | None:
    """The token of the next page; None when there is no more. No points: of the present."""
    return None if place is None else page_token(question, place, *filter(None, points))


def page_token(question: Json, place: tuple[str | int, ...], *points: Cursor) -> str:
    """The token of a place in the answer to a question (its team, filters and sort)."""
    if points:
        shown = _POINT.join(map(str, points))
        return f"{shown}{_POINT}{page_token([question, shown], place)}"
    payload = dump(place)
    return base64.urlsafe_b64encode(_digest(question, payload) + payload).decode()


def read_page_token(token: str, question: Json, shape: TypeAdapter[Place]) -> Place:
    """The place that a token names; raise `Problem` 400 `bad_page` unless it is of this question."""
    shown, is_past, own = token.rpartition(_POINT)
    if is_past:
        return read_page_token(own, [question, shown], shape)
    try:
        raw = base64.urlsafe_b64decode(token)
        digest, payload = raw[:_DIGEST_BYTES], raw[_DIGEST_BYTES:]
        if base64.urlsafe_b64encode(raw).decode() == token and digest == _digest(question, payload):
            return shape.validate_json(payload, strict=True)
    except (ValueError, ValidationError):
        pass
    raise bad_page()


def points_of(token: str | None) -> list[str]:
    """The cursors of the points that a token's page shows."""
    return [] if token is None else token.split(_POINT)[:-1]


def _digest(question: Json, payload: bytes) -> bytes:
    """Not a secret: it tells mistakes, and a place that someone made up shows them nothing new."""
    return blake2b(dump(question) + payload, digest_size=_DIGEST_BYTES).digest()
