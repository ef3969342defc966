"""What the remote sources share: which addresses they may ask, and what a secret has to look like."""

import json
from collections.abc import Mapping
from urllib.parse import urlsplit

from runtime.startup_failures import Misconfigured

_OF_THIS_MACHINE = ("127.0.0.1", "::1", "localhost")


def check_address(variable: str, url: str) -> None:
    """Raise `Misconfigured` unless the URL is HTTPS or of this machine: others could read along."""
    parts = urlsplit(url)
    if parts.username or parts.password:
        raise Misconfigured(f"{variable}: a URL without user and password is needed")
    if not parts.hostname or (parts.scheme, parts.hostname in _OF_THIS_MACHINE) not in {
        ("https", True),
        ("https", False),
        ("http", True),
    }:
        raise Misconfigured(f"{variable}: a URL with https:// is needed")


def texts_of(where: str, secret: object) -> Mapping[str, str]:
    """A secret's members as text; raise `Misconfigured` where it is no flat JSON object."""
    if not isinstance(secret, dict):
        raise Misconfigured(f"{where} is no JSON object")
    wrong = sorted(str(name) for name, value in secret.items() if not isinstance(value, str | int | float))
    if wrong:
        raise Misconfigured(f"{where}: {', '.join(wrong)}: a text, number or boolean is needed")
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in secret.items()}
