"""The Prefer header (RFC 7240): how long a request wants to wait for its outcome."""

import re

_WAIT = re.compile(r"wait\s*=\s*\"?(\d{1,9})\"?")


def wait_seconds(prefer: str, default: float, most: float) -> float:
    """Seconds to wait: 0 for `respond-async`, N for `wait=N` up to `most`, else the default.

    As the RFC asks, a preference that cannot be understood is passed over.
    """
    preferences = [part.split(";")[0].strip().lower() for part in prefer.split(",")]
    waits = [match[1] for part in preferences if (match := _WAIT.fullmatch(part))]
    if waits:
        return min(float(waits[0]), most)
    return 0.0 if "respond-async" in preferences else default
