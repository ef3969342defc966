"""UUIDs as their canonical lower-case text, and version 7 (RFC 9562, section 5.7) for command ids."""

import re
import uuid

UUID_PATTERN = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_CANONICAL = re.compile(UUID_PATTERN)


def is_uuid(text: str) -> bool:
    """Whether the text is a UUID in canonical lower-case form."""
    return _CANONICAL.fullmatch(text) is not None


def canonical_uuid(text: str) -> str:
    """The text, if it is one; raise `ValueError`."""
    if not is_uuid(text):
        raise ValueError("must be a UUID in canonical lower-case form")
    return text


def is_uuid7(text: str) -> bool:
    """Whether the text is a canonical UUID of version 7 and the RFC's variant."""
    return is_uuid(text) and text[14] == "7" and text[19] in "89ab"


def uuid7(unix_ms: int, random_bytes: bytes) -> str:
    """A version 7 UUID from milliseconds since 1970 and 10 random bytes."""
    if len(random_bytes) != 10:
        raise ValueError(f"10 random bytes make a UUIDv7, not {len(random_bytes)}")
    value = (unix_ms & (2**48 - 1)) << 80 | int.from_bytes(random_bytes, "big")
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return str(uuid.UUID(int=value))


def uuid7_ms(text: str) -> int:
    """The milliseconds since 1970 that a version 7 UUID carries."""
    return int(text[:8] + text[9:13], 16)
