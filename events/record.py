"""A Kafka record as this project sees it, and the headers that carry the log's own bookkeeping."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import cast

from events.errors import MalformedRecord

Headers = dict[str, bytes]

KIND = "kind"
TERM = "term"
WRITER = "writer"
FENCE = "fence"
LOG_ID = "log_id"
COMMAND_OFFSET = "command_offset"
RIGHTS = "rights"
"""On a command: the role whose rights its sender's credential is good for at most."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Record:
    """One record of one partition; `timestamp_ms` is the broker's append time where the topic is so set."""

    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: Headers


@dataclass(frozen=True, kw_only=True, slots=True)
class NewRecord:
    """A record to append."""

    key: bytes | None
    value: bytes | None
    headers: Headers

    @property
    def size(self) -> int:
        """Bytes it takes in a record batch, a little overstated."""
        headers = self.headers
        names_and_values = sum(map(len, headers)) + sum(map(len, headers.values()))
        return len(self.key or b"") + len(self.value or b"") + names_and_values + 10 * len(headers) + 64

    def with_headers(self, more: Headers) -> "NewRecord":
        """The same record with further headers."""
        return NewRecord(key=self.key, value=self.value, headers={**self.headers, **more})


def headers_of(pairs: Collection[tuple[str, bytes | None]]) -> Headers:
    """Kafka's header list as a mapping: of a name that stands twice the last counts, a null value never."""
    headers = dict(pairs)
    if None in headers.values():
        return {name: value for name, value in pairs if value is not None}
    return cast(Headers, headers)


def text_of(headers: Headers, name: str) -> str:
    """A header's text; raise `MalformedRecord` when it is missing, not UTF-8 or holds U+0000."""
    try:
        text = headers[name].decode("utf-8")
    except KeyError:
        raise MalformedRecord(f"header {name} is missing") from None
    except UnicodeDecodeError:
        raise MalformedRecord(f"header {name} is not UTF-8") from None
    if "\x00" in text:
        raise MalformedRecord(f"header {name} holds U+0000, which cannot be stored")
    return text


def integer_of(headers: Headers, name: str) -> int:
    """A header's integer from 0 to 2^63-1; raise `MalformedRecord` when it is missing or something else."""
    try:
        digits = headers[name]
    except KeyError:
        raise MalformedRecord(f"header {name} is missing") from None
    if not (digits.isdigit() and len(digits) <= 20 and (value := int(digits)) < 2**63):
        raise MalformedRecord(f"header {name} is not a number")
    return value
