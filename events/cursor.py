"""Cursors: where a client stands in its team's log. Opaque to clients, checked when they come back."""

import base64
import uuid
import zlib
from dataclasses import dataclass

from events.errors import EventError

_VERSION = b"\x01"
_LENGTH = 1 + 16 + 16 + 8 + 4
_MAX_SEQUENCE = 2**63 - 1


class BadCursor(EventError):
    """Text that is no cursor of this server's."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Cursor:
    """A position: the log's id, the team, and the last sequence seen (0: nothing yet)."""

    log_id: str
    team_id: str
    sequence: int

    def __str__(self) -> str:
        body = (
            _VERSION
            + uuid.UUID(self.log_id).bytes
            + uuid.UUID(self.team_id).bytes
            + self.sequence.to_bytes(8, "big")
        )
        return base64.urlsafe_b64encode(body + zlib.crc32(body).to_bytes(4, "big")).decode()


def parse_cursor(text: str) -> Cursor:
    """Read a cursor; raise `BadCursor` when it was cut, altered or never made by a server."""
    try:
        raw = base64.urlsafe_b64decode(text)
    except ValueError:
        raise BadCursor("not a cursor") from None
    if len(raw) != _LENGTH:
        raise BadCursor("not a cursor, or a part of one")
    cursor = Cursor(
        log_id=str(uuid.UUID(bytes=raw[1:17])),
        team_id=str(uuid.UUID(bytes=raw[17:33])),
        sequence=int.from_bytes(raw[33:41], "big"),
    )
    if str(cursor) != text or cursor.sequence > _MAX_SEQUENCE:
        raise BadCursor("a damaged cursor, or one of another version")
    return cursor
