"""Kinds of files: what one is said to be, by its media type and its name, and what it is."""

import json
from collections.abc import Mapping
from enum import StrEnum
from pathlib import PurePosixPath

from runtime.uploads.problems import mismatch, unsupported


class Kind(StrEnum):
    """What a file of rows can be."""

    JSON = "json"
    NDJSON = "ndjson"
    CSV = "csv"


MEDIA_TYPES: Mapping[str, Kind] = {
    "application/json": Kind.JSON,
    "application/x-ndjson": Kind.NDJSON,
    "application/ndjson": Kind.NDJSON,
    "application/jsonl": Kind.NDJSON,
    "text/csv": Kind.CSV,
}
GZIP_TYPES = frozenset({"application/gzip", "application/x-gzip"})
UNTOLD = frozenset({"", "application/octet-stream"})
"""Media types that say nothing."""
_SUFFIXES: Mapping[str, Kind] = {
    ".json": Kind.JSON,
    ".ndjson": Kind.NDJSON,
    ".jsonl": Kind.NDJSON,
    ".csv": Kind.CSV,
}
_GZIP_MAGIC = b"\x1f\x8b"


def declared_kind(media_type: str, name: str, taken: frozenset[Kind]) -> Kind | None:
    """What a file is said to be, None where nothing is said; raise `Problem` 415."""
    by_type = MEDIA_TYPES.get(media_type)
    if by_type is None and media_type not in UNTOLD | GZIP_TYPES:
        raise unsupported(f"files of the media type {media_type} are not taken; {_takes(taken)}")
    by_name = _kind_of_name(name)
    if by_type is not None and by_name is not None and by_type is not by_name:
        raise mismatch(f"the media type says {by_type}, and the file's name says {by_name}")
    kind = by_type or by_name
    if kind is not None and kind not in taken:
        raise unsupported(f"{kind} files are not taken; {_takes(taken)}")
    return kind


def is_gzip_declared(media_type: str, name: str, encoding: str) -> bool:
    """Whether a file is said to be compressed; raise `Problem` 415 for a compression that is not known."""
    if encoding not in ("", "identity", "gzip", "x-gzip"):
        raise unsupported(f"the encoding {encoding} is not taken; gzip is")
    return encoding.endswith("gzip") or media_type in GZIP_TYPES or name.lower().endswith(".gz")


def check_compression(content: bytes, *, declared: bool) -> None:
    """Raise `Problem` 415 unless a file is compressed just if it is said to be."""
    actual = content.startswith(_GZIP_MAGIC)
    if actual and not declared:
        raise mismatch("the file is compressed with gzip, and nothing says so")
    if declared and not actual:
        raise mismatch("the file is said to be compressed with gzip, and is not")


def kind_of(text: str, declared: Kind | None, taken: frozenset[Kind], key: str) -> Kind:
    """What a file is, by how it begins; raise `Problem` 415 unless that is what it is said to be."""
    begins = text.lstrip()[:1]
    is_json = begins in ("[", "{")
    if declared is Kind.CSV:
        if begins == "{":
            raise mismatch("the file is said to be csv, and begins like json")
        return Kind.CSV
    if declared is not None:
        if not is_json and begins:
            raise mismatch(f"the file is said to be {declared}, and does not begin like it")
        return declared
    if is_json:
        return Kind.NDJSON if _first_line_is_a_row(text, key) else Kind.JSON
    if Kind.CSV in taken and begins:
        return Kind.CSV
    raise unsupported(f"the file is none that is taken; {_takes(taken)}")


def _first_line_is_a_row(text: str, key: str) -> bool:
    """NDJSON begins with a line that is a whole object, and not the one that holds the rows."""
    line = text.lstrip().partition("\n")[0]
    if not line.startswith("{"):
        return False
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return False
    return key not in value


def _kind_of_name(name: str) -> Kind | None:
    """By the end of a name alone; what else it says is nobody's business."""
    suffixes = [suffix for suffix in PurePosixPath(name.lower()).suffixes if suffix != ".gz"]
    return _SUFFIXES.get(suffixes[-1]) if suffixes else None


def _takes(taken: frozenset[Kind]) -> str:
    return f"{', '.join(sorted(taken))} are, also compressed with gzip"
