"""From where a request comes, as far as it can be written down."""

from fastapi import Request

_MOST = 64


def address_of(request: Request) -> str:
    """The address of whoever sent it; empty where that is not known."""
    return printable(request.client.host if request.client else "", _MOST)


def printable(text: str, most: int) -> str:
    """The printable characters among the first so many."""
    return "".join(filter(str.isprintable, text[:most]))
