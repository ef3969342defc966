"""Rows in CSV (RFC 4180) under a line of names; every value is text."""

import csv
import io
from collections.abc import Iterator

from runtime.uploads.limits import Limits
from runtime.uploads.problems import malformed

_MOST_COLUMNS = 100

CsvRow = tuple[dict[str, str] | None, str | None]
"""What a row holds by the names of its columns, or else what is wrong with it."""


def csv_rows(text: str, limits: Limits) -> Iterator[CsvRow]:
    """The rows after the names; raise `Problem` 400 `malformed_upload`, also while they are read."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        names = _names(next(reader, []))
        for values in reader:
            if values:
                yield _row(names, values, limits)
    except csv.Error as error:
        raise malformed(f"the CSV is broken in line {reader.line_num}: {error}") from None


def _names(line: list[str]) -> list[str]:
    names = [name.strip() for name in line]
    if not 1 <= len(names) <= _MOST_COLUMNS or "" in names:
        raise malformed(f"the first line of a CSV file names its columns, {_MOST_COLUMNS} at the most")
    if len(set(names)) != len(names):
        raise malformed("the first line of a CSV file names each column once")
    return names


def _row(names: list[str], values: list[str], limits: Limits) -> CsvRow:
    if len(values) != len(names):
        return None, f"it has {len(values)} values for {len(names)} columns"
    if sum(len(value.encode()) for value in values) > limits.most_row_bytes:
        return None, f"a row has at most {limits.most_row_bytes} bytes"
    return dict(zip(names, values, strict=True)), None
