"""Exports and tree heads as files: plain or compressed, or standard input."""

import gzip
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from evidence.errors import EvidenceError
from evidence.head_files import MAX_LINE_BYTES as MAX_HEAD_LINE_BYTES
from evidence.head_files import HeadLine, MalformedHeads, read_heads
from evidence.log_lines import MAX_LINE_BYTES
from evidence.notes import Key, parse_key
from sync_client.errors import USAGE, SyncError

_GZIP = b"\x1f\x8b"


class BadAuditFile(SyncError):
    """A file or a key that cannot be read as what it should be; nothing was verified."""

    exit_code = USAGE

    def __init__(self, message: str) -> None:
        super().__init__("bad_audit_file", message)


def log_lines(path: Path) -> Iterator[bytes]:
    """The lines of an export, one at a time; `-` is standard input. Raise `BadAuditFile`."""
    with _opened(path) as file:
        yield from _lines(file, MAX_LINE_BYTES)


def head_lines(path: Path) -> list[HeadLine]:
    """What a file of tree heads holds; raise `BadAuditFile`."""
    try:
        with _opened(path) as file:
            return list(read_heads(_lines(file, MAX_HEAD_LINE_BYTES)))
    except MalformedHeads as error:
        raise BadAuditFile(str(error)) from None


def keys_of(vkeys: list[str] | None) -> list[Key]:
    """Keys from their texts; raise `BadAuditFile`."""
    try:
        return [parse_key(vkey) for vkey in vkeys or ()]
    except EvidenceError as error:
        raise BadAuditFile(f"not a key: {error}") from None


def _lines(file: BinaryIO, longest: int) -> Iterator[bytes]:
    # A line longer than any is passed on in parts, each of which is found to be none.
    while line := file.readline(longest):
        yield line


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    try:
        if str(path) == "-":
            yield sys.stdin.buffer
            return
        with path.open("rb") as file:
            if file.peek(2)[:2] == _GZIP:
                with gzip.GzipFile(fileobj=file) as unpacked:
                    yield cast(BinaryIO, unpacked)
            else:
                yield file
    except (OSError, EOFError, zlib.error) as error:
        raise BadAuditFile(f"{path}: {getattr(error, 'strerror', None) or error}") from None
