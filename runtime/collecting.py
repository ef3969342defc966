"""Garbage collection for work that makes many lasting objects and no cycles."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_THRESHOLDS = (50_000, 20, 100)
"""A fold of a log takes 50 µs an event with these, 75 with Python's own (700, 10, 10)."""


@contextmanager
def seldom_collecting() -> Iterator[None]:
    """Look for cycles seldom while the block runs: each look goes through all that was made."""
    before = gc.get_threshold()
    gc.set_threshold(*_THRESHOLDS)
    try:
        yield
    finally:
        gc.set_threshold(*before)
