"""Pattern files, read and written one pattern at a time: memory holds one pattern, however long the file.

A file is a JSON list of patterns, a JSON object with such a list under "patterns" (its other members are
passed over), or NDJSON: one pattern per line.
"""

import json
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO, Literal

from events.errors import InvalidJson
from events.json_text import Json, parse
from sync_client.errors import BadPatternFile
from sync_client.json_stream import JsonStream

Format = Literal["json", "ndjson"]
NDJSON_SUFFIXES = (".ndjson", ".jsonl")
MAX_DEPTH = 30


@dataclass(frozen=True, kw_only=True, slots=True)
class Item:
    """One pattern of a file, at its place from 1 on; or why it is none."""

    place: int
    value: Json = None
    error: InvalidJson | None = None


def read_patterns(path: Path) -> Iterator[Item]:
    """The patterns of a file; raise `BadPatternFile` for one that cannot be read as such."""
    try:
        with path.open("rb") as file:
            yield from _lines(file) if is_ndjson(path, file) else _elements(file)
    except OSError as error:
        raise BadPatternFile(f"{path}: {error.strerror}") from error
    except InvalidJson as error:
        raise BadPatternFile(f"{path}: {error.reason}") from error


def is_ndjson(path: Path, file: BinaryIO) -> bool:
    """By the file's name, or if its first line is a whole object by itself, and no library."""
    if path.suffix.lower() in NDJSON_SUFFIXES:
        return True
    first = next((line for line in file if line.strip()), b"")
    file.seek(0)
    if not first.lstrip().startswith(b"{"):
        return False
    try:
        value = json.loads(first)
    except ValueError:
        return False
    return "patterns" not in value


def _lines(file: BinaryIO) -> Iterator[Item]:
    for place, line in enumerate(file, 1):
        if line.strip():
            yield _item(place, line)


def _elements(file: BinaryIO) -> Iterator[Item]:
    for place, text in enumerate(JsonStream(file).elements("patterns"), 1):
        yield _item(place, text)


def _item(place: int, text: bytes) -> Item:
    try:
        return Item(place=place, value=parse(text, max_depth=MAX_DEPTH))
    except InvalidJson as error:
        return Item(place=place, error=error)


# ---------------------------------------------------------------- writing


def written(patterns: Iterable[str], style: Format) -> Iterator[str]:
    """The text of a pattern file, from the patterns' JSON texts: one pattern per line in either format."""
    if style == "ndjson":
        for text in patterns:
            yield text + "\n"
        return
    yield '{"patterns": ['
    separator = "\n"
    for text in patterns:
        yield separator + text
        separator = ",\n"
    yield "\n]}\n"


@contextmanager
def replacing(path: Path) -> Iterator[IO[str]]:
    """A file that takes the place of `path` when it is whole and on the disk, and not before."""
    try:
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            Path(name).chmod(_mode_for(path))
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise BadPatternFile(f"{path}: {error.strerror}") from error


def _mode_for(path: Path) -> int:
    """The permissions that the file has, or that a new one would get."""
    with suppress(FileNotFoundError):
        return path.stat().st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
