"""What every command needs."""

import secrets
import time

from events.identifiers import uuid7


def command_id() -> str:
    """A new command's id, made now."""
    return uuid7(time.time_ns() // 1_000_000, secrets.token_bytes(10))
