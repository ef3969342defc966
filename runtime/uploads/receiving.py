"""Receiving a file: one part of a form (multipart/form-data), or the whole body.

How many bytes a body has at the most is judged before, for all routes alike. A file's name is looked at for
what it says of its kind, and goes nowhere.
"""

from dataclasses import dataclass
from email.message import Message

from fastapi import Request
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException

from runtime.uploads.problems import malformed, unsupported

FORM = "multipart/form-data"


@dataclass(frozen=True, kw_only=True, slots=True)
class Received:
    """A file as it was sent, and what it is said to be."""

    content: bytes
    media_type: str
    name: str = ""
    encoding: str = ""


async def receive(request: Request) -> Received:
    """The one file that a request sends; raise `Problem`."""
    media_type = _media_type(request.headers.get("content-type", ""))
    encoding = request.headers.get("content-encoding", "").strip().lower()
    if media_type == FORM:
        if encoding not in ("", "identity"):
            raise unsupported("a form is not compressed as a whole; the file in it may be")
        return await _from_form(request)
    content = b"".join([chunk async for chunk in request.stream()])
    return _filled(Received(content=content, media_type=media_type, encoding=encoding))


async def _from_form(request: Request) -> Received:
    try:
        form = await request.form(max_files=1, max_fields=0)
    except HTTPException as error:
        raise malformed(f"the form cannot be read: {error.detail}") from None
    try:
        files = [file for _, file in form.multi_items() if isinstance(file, UploadFile)]
        if len(files) != 1:
            raise malformed("a form holds one file")
        (file,) = files
        return _filled(
            Received(
                content=await file.read(),
                media_type=_media_type(file.content_type or ""),
                name=file.filename or "",
            )
        )
    finally:
        await form.close()


def _filled(received: Received) -> Received:
    if not received.content:
        raise malformed("the file is empty")
    return received


def _media_type(header: str) -> str:
    """The type without its parameters; raise `Problem` 415 for a charset other than UTF-8."""
    if not header.strip():
        return ""
    message = Message()
    message["content-type"] = header
    charset = message.get_content_charset("utf-8")
    if charset not in ("utf-8", "utf8", "us-ascii"):
        raise unsupported(f"the charset {charset} is not taken; UTF-8 is")
    return header.partition(";")[0].strip().lower()
