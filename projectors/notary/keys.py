"""The keys and witnesses that the settings name."""

import base64
import binascii
import secrets
from dataclasses import dataclass

from evidence.errors import MalformedNote
from evidence.notes import TIMESTAMPED, Key, SigningKey, parse_key
from runtime.settings import Settings
from runtime.startup_failures import Misconfigured

_SEED_BYTES = 32


class BadKey(Misconfigured):
    """A seed, a key's name or a witness that cannot be used; the text never shows a seed."""


@dataclass(frozen=True, slots=True)
class WitnessAddress:
    """Where a witness answers, and the key that it cosigns with."""

    url: str
    key: Key


def signing_keys(settings: Settings) -> list[SigningKey]:
    """The keys that sign, in the settings' order; raise `BadKey`."""
    seeds = [seed.strip() for seed in settings.tree_head_keys.get_secret_value().split(",")]
    return [signing_key(settings.tree_head_name, seed) for seed in seeds if seed]


def signing_key(name: str, seed: str) -> SigningKey:
    """The key of a seed in base64; raise `BadKey`."""
    try:
        raw = base64.b64decode(seed.encode("ascii"), validate=True)
        if len(raw) != _SEED_BYTES:
            raise BadKey(f"PATTERNLOG_TREE_HEAD_KEYS: a seed is {_SEED_BYTES} bytes in base64")
        return SigningKey(name, raw)
    except (binascii.Error, UnicodeEncodeError):
        raise BadKey("PATTERNLOG_TREE_HEAD_KEYS: a seed is not base64") from None
    except MalformedNote as error:
        raise BadKey(f"PATTERNLOG_TREE_HEAD_NAME: {error}") from None


def new_seed() -> str:
    """A seed that nobody has had before."""
    return base64.b64encode(secrets.token_bytes(_SEED_BYTES)).decode()


def witness_addresses(settings: Settings) -> list[WitnessAddress]:
    """The witnesses; raise `BadKey`."""
    found = []
    for one in filter(None, (text.strip() for text in settings.witnesses.split(","))):
        url, _, vkey = one.partition(" ")
        try:
            key = parse_key(vkey.strip())
        except MalformedNote as error:
            raise BadKey(f"PATTERNLOG_WITNESSES: {url}: {error}") from None
        if key.kind != TIMESTAMPED:
            raise BadKey(f"PATTERNLOG_WITNESSES: {url}: its key is not one of cosignatures")
        found.append(WitnessAddress(url.rstrip("/"), key))
    return found
