"""Tree heads (C2SP tlog-checkpoint): a log's name, the size of its tree and the root, as a signed note."""

import base64
import binascii
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from evidence.errors import MalformedNote
from evidence.merkle import HASH_BYTES
from evidence.notes import TIMESTAMPED, Key, Note, SigningKey, Verified, parse_note, verify_note

_SIZE = re.compile("0|[1-9][0-9]{0,17}")


@dataclass(frozen=True, kw_only=True, slots=True)
class TreeHead:
    """What a log's tree is at a size; `origin` names the log for ever."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """What is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"

    def signed(self, keys: Sequence[SigningKey], time_s: int) -> Note:
        """The head as a note; each key signs it, and signs it again with the POSIX time at which it does."""
        signatures = [sign for key in keys for sign in (key.sign(self.text), key.sign_at(self.text, time_s))]
        return Note(self.text, tuple(signatures))


@dataclass(frozen=True, kw_only=True, slots=True)
class SignedTreeHead:
    """A head whose signatures hold."""

    head: TreeHead
    note: Note
    by: tuple[Verified, ...]

    @property
    def time_s(self) -> int | None:
        """The earliest POSIX time that a trusted key states; None when none does."""
        return min((one.time_s for one in self.by if one.time_s is not None), default=None)


def origin_of(name: str, log_id: str, team_id: str) -> str:
    """What a team's log is called in its heads; `name` is that of the service's key."""
    return f"{name}/{log_id}/{team_id}"


def parse_head(text: str) -> TreeHead:
    """Read a head's text; raise `MalformedNote`. Lines after the third are passed over."""
    lines = text.split("\n")
    if len(lines) < 4 or not all(lines[:-1]) or lines[-1]:
        raise MalformedNote("a tree head is a log's name, a size and a root, each on a line")
    origin, size, root = lines[:3]
    if _SIZE.fullmatch(size) is None:
        raise MalformedNote("the size of the tree is no number")
    try:
        raw = base64.b64decode(root, validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != HASH_BYTES or base64.b64encode(raw).decode() != root:
        raise MalformedNote("the root of the tree is no hash")
    return TreeHead(origin=origin, size=int(size), root=raw)


def open_head(note: str, keys: Collection[Key]) -> SignedTreeHead:
    """Read a signed head; `keys` are trusted for both types of signature.

    Raise `MalformedNote` for what is none, `BadSignature` unless a trusted key has signed it.
    """
    parsed = parse_note(note)
    head = parse_head(parsed.text)
    trusted = {key.of_kind(kind) for key in keys for kind in (key.kind, TIMESTAMPED)}
    return SignedTreeHead(head=head, note=parsed, by=tuple(verify_note(parsed, trusted)))
