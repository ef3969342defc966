"""The rows of a file, one at a time, each with what is wrong with it."""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256

from events.errors import InvalidJson
from events.json_text import Json, parse
from runtime.uploads.csv_rows import csv_rows
from runtime.uploads.inflating import inflated
from runtime.uploads.json_rows import elements, lines
from runtime.uploads.kinds import Kind, check_compression, declared_kind, is_gzip_declared, kind_of
from runtime.uploads.limits import Limits
from runtime.uploads.problems import malformed, too_large, too_many_rows
from runtime.uploads.receiving import Received

_MARK = "\ufeff"


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """A row by its index from 0 on, and its place in the file; `error` says why it is none."""

    index: int
    pointer: str
    value: Json = None
    error: InvalidJson | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class RowFile:
    """A file that can be read: its rows, once, and the size and the SHA-256 of its uncompressed content.

    Only who has come to the end of its rows knows that the file is whole.
    """

    digest: bytes
    size: int
    rows: Iterator[Row]


def read_rows(received: Received, taken: frozenset[Kind], key: str, limits: Limits) -> RowFile:
    """Open a file of these kinds, whose rows in JSON may lie in a member `key`.

    Raise `Problem`, also while the rows are read. It takes its time: use it in a thread.
    """
    declared = declared_kind(received.media_type, received.name, taken)
    compressed = is_gzip_declared(received.media_type, received.name, received.encoding)
    check_compression(received.content, declared=compressed)
    content = inflated(received.content, limits) if compressed else received.content
    if len(content) > limits.most_bytes:
        raise too_large(f"a file has at most {limits.most_bytes} bytes", limits.most_bytes)
    text = _text(content)
    kind = kind_of(text, declared, taken, key, limits.most_row_bytes)
    rows = _counted(_rows(text, kind, key, limits), limits)
    return RowFile(digest=sha256(content).digest(), size=len(content), rows=rows)


def _counted(rows: Iterator[Row], limits: Limits) -> Iterator[Row]:
    row = None
    for row in rows:
        if row.index >= limits.most_rows:
            raise too_many_rows(limits.most_rows)
        yield row
    if row is None:
        raise malformed("the file has no rows")


def _text(content: bytes) -> str:
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise malformed(f"the file is not UTF-8: {error.reason} at byte {error.start}") from None
    if "\x00" in text:
        raise malformed("the file holds U+0000, which no text does")
    # Spreadsheets begin their files with a mark.
    return text.removeprefix(_MARK)


def _rows(text: str, kind: Kind, key: str, limits: Limits) -> Iterator[Row]:
    match kind:
        case Kind.CSV:
            for index, (value, problem) in enumerate(csv_rows(text, limits)):
                error = None if problem is None else InvalidJson("malformed_row", problem)
                yield Row(index=index, pointer=f"/{index}", value=value, error=error)
        case Kind.NDJSON:
            for index, line in enumerate(lines(text)):
                yield _row(index, f"/{index}", line, limits)
        case Kind.JSON:
            under, found = elements(text, key, limits.most_row_bytes)
            for index, part in enumerate(found):
                yield _row(index, f"{under}/{index}", part, limits)


def _row(index: int, pointer: str, text: str, limits: Limits) -> Row:
    encoded = text.encode("utf-8")
    if len(encoded) > limits.most_row_bytes:
        error = InvalidJson("too_large", f"a row has at most {limits.most_row_bytes} bytes")
        return Row(index=index, pointer=pointer, error=error)
    try:
        return Row(index=index, pointer=pointer, value=parse(encoded, max_depth=limits.most_depth))
    except InvalidJson as error:
        return Row(index=index, pointer=pointer, error=error)
