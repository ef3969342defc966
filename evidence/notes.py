"""Signed notes (C2SP signed-note v1): a text, and under it lines of signatures by named keys.

Two types of Ed25519 signatures are in use: the plain one over the text, and the timestamped one of
C2SP tlog-cosignature v1, by which a log states a time and witnesses state what they have seen.
"""

import base64
import binascii
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from evidence.errors import BadSignature, MalformedNote

MAX_NOTE_BYTES = 64 * 1024
PLAIN = 0x01
TIMESTAMPED = 0x04
_ID_BYTES = 4
_TIME_BYTES = 8
_SIGNATURE_BYTES = {PLAIN: 64, TIMESTAMPED: _TIME_BYTES + 64}
_KEY_BYTES = 32
_DASH = "\N{EM DASH} "


@dataclass(frozen=True, slots=True)
class Key:
    """A public key by its name and the type (`kind`) of signature that it makes; `vkey` is its text."""

    name: str
    kind: int
    public: bytes

    @property
    def id(self) -> bytes:
        """The 4 bytes by which signature lines name it."""
        return sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.public).digest()[:_ID_BYTES]

    @property
    def vkey(self) -> str:
        """The key as text: name, id and public key."""
        return f"{self.name}+{self.id.hex()}+{_encode(bytes([self.kind]) + self.public)}"

    def of_kind(self, kind: int) -> "Key":
        """The same key as one that makes another type of signature."""
        return Key(self.name, kind, self.public)


@dataclass(frozen=True, slots=True)
class Signature:
    """A line under a note."""

    name: str
    key_id: bytes
    bytes: bytes

    def __str__(self) -> str:
        return f"{_DASH}{self.name} {_encode(self.key_id + self.bytes)}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """A text that ends in a newline, and what is signed under it."""

    text: str
    signatures: tuple[Signature, ...]

    def __str__(self) -> str:
        return f"{self.text}\n{''.join(map(str, self.signatures))}"

    def with_signatures(self, more: Sequence[Signature]) -> "Note":
        """The same note with further signatures; those that it has already are not doubled."""
        new = [one for one in more if one not in self.signatures]
        return Note(self.text, (*self.signatures, *new))


@dataclass(frozen=True, slots=True)
class Verified:
    """A signature that holds; `time_s` is the POSIX time that a timestamped one states."""

    key: Key
    time_s: int | None


class SigningKey:
    """A private key with its name."""

    def __init__(self, name: str, seed: bytes) -> None:
        check_name(name)
        self._private = Ed25519PrivateKey.from_private_bytes(seed)
        self._name = name

    def __repr__(self) -> str:
        return f"SigningKey({self.key().vkey})"

    def key(self, kind: int = PLAIN) -> Key:
        """Its public half."""
        return Key(self._name, kind, self._private.public_key().public_bytes_raw())

    def sign(self, text: str) -> Signature:
        """A plain signature of a text."""
        return Signature(self._name, self.key().id, self._private.sign(text.encode()))

    def sign_at(self, text: str, time_s: int) -> Signature:
        """A timestamped signature of a text."""
        signature = self._private.sign(_timed(text, time_s))
        stamp = time_s.to_bytes(_TIME_BYTES, "big")
        return Signature(self._name, self.key(TIMESTAMPED).id, stamp + signature)


def check_name(name: str) -> None:
    """Raise `MalformedNote` for what cannot name a key."""
    if not name or "+" in name or any(one.isspace() or not one.isprintable() for one in name):
        raise MalformedNote("a key's name must not be empty, nor hold spaces or +")


def parse_key(vkey: str) -> Key:
    """Read a key's text; raise `MalformedNote`."""
    parts = vkey.split("+", 2)
    if len(parts) != 3:
        raise MalformedNote("a key is name+id+key")
    name, key_id, encoded = parts
    check_name(name)
    material = _decode(encoded)
    if len(material) != 1 + _KEY_BYTES or material[0] not in _SIGNATURE_BYTES:
        raise MalformedNote("not an Ed25519 key of a known type")
    key = Key(name, material[0], material[1:])
    if key.id.hex() != key_id:
        raise MalformedNote("the key's id is not that of its name and key")
    return key


def parse_note(note: str) -> Note:
    """Read a signed note, whoever signed it; raise `MalformedNote`."""
    if len(note.encode("utf-8", "surrogatepass")) > MAX_NOTE_BYTES:
        raise MalformedNote("the note is too long")
    if any(one < " " and one != "\n" for one in note):
        raise MalformedNote("a note holds no control characters")
    text, blank, lines = note.rpartition("\n\n")
    if not blank or not text or not lines.endswith("\n"):
        raise MalformedNote("a note is a text, an empty line, and lines of signatures")
    return Note(f"{text}\n", parse_signatures(lines))


def parse_signatures(lines: str) -> tuple[Signature, ...]:
    """Read lines of signatures, each of which ends in a newline; raise `MalformedNote`."""
    if not lines.endswith("\n"):
        raise MalformedNote("a signature's line does not end")
    return tuple(_parse_signature(line) for line in lines[:-1].split("\n"))


def _parse_signature(line: str) -> Signature:
    name, space, encoded = line.removeprefix(_DASH).partition(" ")
    if not line.startswith(_DASH) or not space:
        raise MalformedNote("a signature's line is a dash, a name and a signature")
    check_name(name)
    raw = _decode(encoded)
    if len(raw) <= _ID_BYTES:
        raise MalformedNote("a signature is too short")
    return Signature(name, raw[:_ID_BYTES], raw[_ID_BYTES:])


def verify_note(note: Note, keys: Collection[Key]) -> list[Verified]:
    """The signatures by trusted keys; those by others are passed over.

    Raise `BadSignature` when there is none, or when one of them does not fit the text.
    """
    known = {(key.name, key.id): key for key in keys}
    found = []
    for signature in note.signatures:
        key = known.get((signature.name, signature.key_id))
        if key is not None:
            found.append(Verified(key, _check(note.text, key, signature.bytes)))
    if not found:
        raise BadSignature("no trusted key has signed it")
    return found


def _check(text: str, key: Key, signature: bytes) -> int | None:
    if len(signature) != _SIGNATURE_BYTES[key.kind]:
        raise BadSignature(f"the signature of {key.name} has not the right length")
    time_s, message = None, text.encode()
    if key.kind == TIMESTAMPED:
        time_s = int.from_bytes(signature[:_TIME_BYTES], "big", signed=True)
        if time_s < 0:
            raise BadSignature(f"the signature of {key.name} states no time")
        message, signature = _timed(text, time_s), signature[_TIME_BYTES:]
    try:
        Ed25519PublicKey.from_public_bytes(key.public).verify(signature, message)
    except InvalidSignature:
        raise BadSignature(f"the signature of {key.name} does not fit the text") from None
    return time_s


def _timed(text: str, time_s: int) -> bytes:
    return f"cosignature/v1\ntime {time_s}\n{text}".encode()


def _encode(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _decode(text: str) -> bytes:
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise MalformedNote("not base64") from None
    if _encode(raw) != text:
        raise MalformedNote("not base64 in its one form")
    return raw
