"""The last defence of logs: what is known to be secret, and what looks like it, is blotted out.

Nothing secret should come this far. A library's message may still bring it.
"""

import base64
import json
import re
from collections.abc import Callable, Iterator
from urllib.parse import quote, quote_plus, unquote, urlsplit

from pydantic import SecretStr

from runtime.settings import Settings

_SHORTEST = 6
"""A shorter secret is also a part of ordinary words."""
_LOOKS = (
    # scheme://user:password@host
    (re.compile(r'(://[^\s:/@"]*:)(?:\\.|[^\s@"\\])+(?=@)'), r"\1***"),
    (re.compile(r'(?i)\b((?:bearer|basic)\s+)[^\s"\\]{2,}'), r"\1***"),
    (
        re.compile(
            r'(?i)("(?:\w*_)?(?:authorization|password|token|secret|dsn)": *")(?:\\.|[^"\\])*',
        ),
        r"\1***",
    ),
    (re.compile(r"\bfl_[\w-]{20,}"), "fl_***"),
    # A JWT: three parts of base64, the first of which is a JSON object.
    (re.compile(r"\beyJ[\w-]+\.[\w-]+\.[\w-]*"), "***"),
)


def redact(text: str) -> str:
    """The text without passwords in URLs, tokens, API keys, and JSON members named like secrets."""
    for pattern, replacement in _LOOKS:
        text = pattern.sub(replacement, text)
    return text


class Masking:
    """Knows the secrets that are or were in force, in the forms that they take in a line of JSON."""

    def __init__(self, latest: Callable[[], Settings]) -> None:
        self._latest = latest
        self._known: Settings | None = None
        self._forms: set[str] = set()
        self._pattern = re.compile("(?!)")

    def masked(self, text: str) -> str:
        """The text without secrets."""
        latest = self._latest()
        if latest is not self._known:
            self._learn(latest)
        return redact(self._pattern.sub("***", text))

    def _learn(self, settings: Settings) -> None:
        self._known = settings
        self._forms.update(form for secret in secrets_of(settings) for form in _forms(secret))
        # The longest first: one may be the beginning of another.
        alternatives = "|".join(re.escape(form) for form in sorted(self._forms, key=len, reverse=True))
        if alternatives:
            self._pattern = re.compile(rf"(?<![A-Za-z0-9])(?:{alternatives})(?![A-Za-z0-9])")


def secrets_of(settings: Settings) -> set[str]:
    """What is secret in the settings: of a URL its password, of a list each one."""
    found: set[str] = set()
    public: set[str] = set()
    for name, field in Settings.model_fields.items():
        value = getattr(settings, name)
        if not isinstance(value, SecretStr):
            public.add(str(value))
        elif value != field.default:
            found.update(_parts(value.get_secret_value(), public))
    return {secret for secret in found if len(secret) >= _SHORTEST} - public


def _parts(text: str, public: set[str]) -> Iterator[str]:
    if "://" not in text:
        yield from (part.strip() for part in text.split(","))
        return
    try:
        url = urlsplit(text)
    except ValueError:
        yield text
        return
    # A development password is often the name of something, which is in every line.
    public.update({url.username or "", url.hostname or "", url.path.strip("/")})
    if url.password:
        yield from (url.password, unquote(url.password))


def _forms(secret: str) -> Iterator[str]:
    yield secret
    yield from (quote(secret, safe=""), quote_plus(secret), json.dumps(secret)[1:-1])
    encoded = base64.b64encode(secret.encode("utf-8", "replace")).decode()
    yield from (encoded, encoded.rstrip("="))
