"""Hashes as JSON shows them."""

import base64


def base64_of(raw: bytes) -> str:
    """Base64 in its standard alphabet, padded."""
    return base64.b64encode(raw).decode()
