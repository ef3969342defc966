"""Secrets that can be recognized wherever they turn up, in whatever form."""

import base64
from urllib.parse import quote, quote_plus

from runtime.secrets.reloading import SECRETS

MARK = "Canary#7/é+"


def canary(name: str) -> str:
    """The secret of a setting: nothing that a URL or JSON leaves as it is."""
    return f"{MARK}{name}"


def seed() -> str:
    """A signing key's seed, which has to have its form."""
    return base64.b64encode(b"CanarySeed-0123456789-0123456789").decode()


def values() -> dict[str, str]:
    """A canary for every secret, in a form that the setting takes."""
    formed = {
        "postgres_dsn": f"postgresql://app:{quote(canary('postgres_dsn'), safe='')}@127.0.0.1:1/x",
        "redis_url": f"redis://app:{quote(canary('redis_url'), safe='')}@127.0.0.1:1/0",
        "tree_head_keys": seed(),
        "token_keys": seed(),
    }
    return {name: formed.get(name, canary(name)) for name in SECRETS}


def forms() -> list[str]:
    """Each canary as it is, in URLs, escaped and in base64, or what such forms have in common."""
    whole = [canary(name) for name in SECRETS] + [seed()]
    encoded = [base64.b64encode(text.encode()).decode().rstrip("=") for text in whole]
    inside = [base64.b64encode(f"{pad}{MARK}".encode()).decode()[4:-4] for pad in ("", "x", "xx")]
    return [
        MARK,
        "Canary#",
        quote(MARK, safe=""),
        quote_plus(MARK),
        "Canary%23",
        "CanarySeed",
        *encoded,
        *inside,
        seed(),
    ]


def shown_in(text: str) -> list[str]:
    """The forms that a text has."""
    return [form for form in forms() if form in text]
