"""What the client takes from outside, so that tests can give it another world."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from sync_client.progress import Progress, Silent
from sync_client.retrying import Patience


def utc_now() -> datetime:
    """The time by this machine's clock."""
    return datetime.now(UTC)


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What the client takes from outside: clock, randomness, patience, and who watches."""

    now: Callable[[], datetime] = utc_now
    random_bytes: Callable[[int], bytes] = os.urandom
    patience: Patience = Patience()
    progress: Progress = Silent()
