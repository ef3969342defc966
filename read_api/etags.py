"""Entity tags and answers that depend on them (RFC 9110, sections 8.8.3 and 13.1.2)."""

import re

from starlette.responses import Response

_TAG = re.compile(r'(?:W/)?("[^"]*")')
_REVALIDATE = {"Cache-Control": "private, no-cache"}


def weak(tag: str) -> str:
    """The tag of a representation that may differ in bytes from another of the same tag."""
    return f'W/"{tag}"'


def is_current(if_none_match: str, etag: str) -> bool:
    """Whether the client holds the representation already; tags are compared weakly."""
    return if_none_match.strip() == "*" or etag.removeprefix("W/") in _TAG.findall(if_none_match)


def not_modified(etag: str) -> Response:
    """304: what the client holds is current."""
    return Response(status_code=304, headers={"ETag": etag, **_REVALIDATE})


def json_answer(*parts: bytes, etag: str | None = None) -> Response:
    """200 with JSON text that is ready-made."""
    headers = _REVALIDATE if etag is None else {"ETag": etag, **_REVALIDATE}
    return Response(b"".join(parts), headers=headers, media_type="application/json")
