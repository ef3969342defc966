"""Files of tree heads: JSON objects, one a line.

    {"head": "<a signed note>"}              a tree head, with the cosignatures that it has
    {"rotation": "<a signed note>"}          names keys, see `evidence.key_notes`
    {"inclusion": {"sequence": 7, "size": 7, "path": ["<base64>", …]}}
    {"consistency": {"from": 9, "to": 12, "path": ["<base64>", …]}}

Other members are passed over. The proofs are there for exports that begin or end in the middle of a log.
"""

import base64
from collections.abc import Iterable, Iterator
from typing import Annotated

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from events.shapes import Index, Ordinal
from evidence.errors import EvidenceError

MAX_LINE_BYTES = 1024 * 1024
_OPEN = ConfigDict(extra="ignore", strict=True)
_Hash = Annotated[str, Field(pattern=r"^[A-Za-z0-9+/]{43}=$")]


class MalformedHeads(EvidenceError):
    """A line of a heads file that is none."""


@dataclass(frozen=True, kw_only=True, slots=True, config=_OPEN)
class InclusionProof:
    """The path from an event's leaf to the root of the tree of a size."""

    sequence: Ordinal
    size: Ordinal
    path: list[_Hash]


@dataclass(frozen=True, kw_only=True, slots=True, config=_OPEN)
class ConsistencyProof:
    """The path by which the tree of size `to` begins with that of size `from`."""

    from_: Annotated[Index, Field(alias="from")]
    to: Index
    path: list[_Hash]


@dataclass(frozen=True, kw_only=True, slots=True, config=_OPEN)
class HeadLine:
    """One line."""

    head: str | None = None
    rotation: str | None = None
    inclusion: InclusionProof | None = None
    consistency: ConsistencyProof | None = None


_LINE: TypeAdapter[HeadLine] = TypeAdapter(HeadLine)


def read_heads(lines: Iterable[bytes]) -> Iterator[HeadLine]:
    """The lines of a heads file; raise `MalformedHeads`. Empty ones are passed over."""
    for number, text in enumerate(lines, 1):
        if not text.strip():
            continue
        try:
            yield _LINE.validate_json(text)
        except ValidationError as error:
            problem = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(map(str, problem["loc"])) or "line"
            raise MalformedHeads(f"line {number} of the tree heads: {where}: {problem['msg']}") from None


def hashes_of(path: Iterable[str]) -> list[bytes]:
    """The hashes of a proof."""
    return [base64.b64decode(text) for text in path]


def texts_of(hashes: Iterable[bytes]) -> list[str]:
    """The hashes of a proof as they are written."""
    return [base64.b64encode(one).decode() for one in hashes]
