"""What the server's answers about its tree look like, checked before anything of them is used."""

from dataclasses import dataclass as plain_dataclass
from typing import Annotated

from pydantic import ConfigDict, Field, TypeAdapter
from pydantic.dataclasses import dataclass

from evidence.errors import EvidenceError
from evidence.head_files import hashes_of
from evidence.notes import Key, parse_key
from sync_client.errors import UnexpectedAnswer
from sync_client.wire import read_shape

_OPEN = ConfigDict(extra="ignore", strict=True)
_Hash = Annotated[str, Field(pattern=r"^[A-Za-z0-9+/]{43}=$")]


@dataclass(frozen=True, kw_only=True, slots=True, config=_OPEN)
class _Head:
    note: str


@dataclass(frozen=True, kw_only=True, slots=True, config=_OPEN)
class HeadsPage:
    """Heads from the smallest on."""

    tree_heads: list[_Head]
    next_page: str | None


@dataclass(frozen=True, kw_only=True, slots=True, config=_OPEN)
class _Path:
    path: list[_Hash]


@dataclass(frozen=True, kw_only=True, slots=True, config=_OPEN)
class _Keys:
    keys: list[str]
    notes: list[str]


_HEAD: TypeAdapter[_Head] = TypeAdapter(_Head)
_HEADS: TypeAdapter[HeadsPage] = TypeAdapter(HeadsPage)
_PATH: TypeAdapter[_Path] = TypeAdapter(_Path)
_KEYS: TypeAdapter[_Keys] = TypeAdapter(_Keys)


@plain_dataclass(frozen=True, kw_only=True, slots=True)
class ServerKeys:
    """The keys that the server says it signs with, and its notes about them."""

    keys: tuple[Key, ...] = ()
    notes: tuple[str, ...] = ()


def read_head(body: bytes) -> str:
    """A tree head's note; raise `UnexpectedAnswer`."""
    return read_shape(_HEAD, body).note


def read_heads_page(body: bytes) -> tuple[list[str], str | None]:
    """Notes, and where to go on; raise `UnexpectedAnswer`."""
    page = read_shape(_HEADS, body)
    return [head.note for head in page.tree_heads], page.next_page


def read_path(body: bytes) -> list[bytes]:
    """The hashes of a proof; raise `UnexpectedAnswer`."""
    return hashes_of(read_shape(_PATH, body).path)


def read_keys(body: bytes) -> ServerKeys:
    """The server's keys; raise `UnexpectedAnswer`."""
    found = read_shape(_KEYS, body)
    try:
        return ServerKeys(keys=tuple(map(parse_key, found.keys)), notes=tuple(found.notes))
    except EvidenceError as error:
        raise UnexpectedAnswer(f"the answer is not Patternlog's: keys: {error}") from None
