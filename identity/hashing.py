"""Hashing of passwords, which keeps a core busy: what the processes of the pool do."""

import logging
import multiprocessing
import os
import signal
import threading
import warnings
from dataclasses import dataclass
from functools import cache
from typing import Any

LOWEST_PRIORITY = 19
_NOBODYS = "." * 22 + "$" + "." * 31
"""Salt and checksum in bcrypt's alphabet; no password is known that gives this."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Verified:
    """Whether a password is right, and its new hash if the old one was cheaper than they now are."""

    right: bool
    new_hash: str | None = None


def hash_password(password: str, cost: int) -> str:
    """A new hash of a normalized password."""
    return str(_scheme(cost).hash(password))


def verify_password(password: str, stored: str | None, cost: int) -> Verified:
    """Compare with the hash of somebody, or of nobody; a wrong password costs the same either way."""
    scheme = _scheme(cost)
    if stored is None:
        scheme.verify(password, nobodys_hash(cost))
        return Verified(right=False)
    if not scheme.verify(password, stored):
        # What an older hash took less is spent: 2^n and 2^n + 2^(n+1) + ... + 2^(cost-1) make 2^cost.
        for missing in range(cost_of(stored), cost):
            scheme.verify(password, nobodys_hash(missing))
        return Verified(right=False)
    renewed = hash_password(password, cost) if cost_of(stored) < cost else None
    return Verified(right=True, new_hash=renewed)


def nobodys_hash(cost: int) -> str:
    """A hash that takes as long as another of this cost, and that no password has."""
    return f"$bcrypt-sha256$v=2,t=2b,r={cost}${_NOBODYS}"


def cost_of(stored: str) -> int:
    """The cost of a hash: two to its power rounds."""
    return int(_library().from_string(stored).rounds)


def begin() -> None:
    """Make this process give way to all others, and end with its parent however that ends."""
    _library()
    os.nice(LOWEST_PRIORITY)
    # Ctrl-C is for the parent, which ends this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, name="lifeline", daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _scheme(cost: int) -> Any:
    return _library().using(default_rounds=cost)


@cache
def _library() -> Any:
    # It looks for a version where bcrypt no longer has one, and for a module that Python is about to drop.
    logging.getLogger("passlib.handlers.bcrypt").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        from passlib.hash import bcrypt_sha256  # noqa: PLC0415 - the process that asks never needs it
    return bcrypt_sha256
