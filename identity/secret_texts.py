"""Secrets that are given out once and stored as a hash: they are random enough for a plain one."""

import hashlib
import secrets

_BYTES = 32
KEY_PREFIX = "fl_"
KEY_LENGTH = 256
"""Characters of an API key at the most; keys of ours are shorter, and those of others are taken over."""


def new_refresh_token() -> str:
    """One that nobody has had before."""
    return secrets.token_urlsafe(_BYTES)


def new_api_key() -> str:
    """One that nobody has had before."""
    return KEY_PREFIX + secrets.token_urlsafe(_BYTES)


def hash_of(secret: str) -> bytes:
    """What is stored of a secret."""
    return hashlib.sha256(secret.encode()).digest()
