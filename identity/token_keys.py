"""The keys of access tokens: Ed25519 seeds of the settings, of which the first signs and all verify."""

import base64
import binascii
import hashlib
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from runtime.settings import Settings
from runtime.startup_failures import Misconfigured

_SEED_BYTES = 32
_VARIABLE = "PATTERNLOG_TOKEN_KEYS"


class BadTokenKey(Misconfigured):
    """No seed, or one that cannot be used; the text never shows a seed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TokenKey:
    """A key; `kid` is its thumbprint (RFC 7638, over the members that RFC 8037 names)."""

    kid: str
    private: Ed25519PrivateKey = field(repr=False)
    public: Ed25519PublicKey = field(repr=False)

    @property
    def jwk(self) -> dict[str, str]:
        """The public half, as a JWK (RFC 7517)."""
        return {**_members(self.public), "kid": self.kid, "use": "sig", "alg": "EdDSA"}


@dataclass(frozen=True, kw_only=True, slots=True)
class KeyRing:
    """The keys in use."""

    signing: TokenKey
    by_kid: Mapping[str, TokenKey]

    @property
    def jwks(self) -> dict[str, Sequence[Mapping[str, str]]]:
        """The public halves, as a JWK set."""
        return {"keys": [key.jwk for key in self.by_kid.values()]}


def key_ring(settings: Settings) -> KeyRing:
    """The keys of the settings; raise `BadTokenKey`, also where there is none."""
    seeds = [seed.strip() for seed in settings.token_keys.get_secret_value().split(",")]
    keys = [token_key(seed) for seed in seeds if seed]
    if not keys:
        raise BadTokenKey(f"{_VARIABLE} is not set: `patternlog new-token-key` makes a key for access tokens")
    by_kid = {key.kid: key for key in keys}
    if len(by_kid) < len(keys):
        raise BadTokenKey(f"{_VARIABLE}: a seed stands twice")
    return KeyRing(signing=keys[0], by_kid=by_kid)


def token_key(seed: str) -> TokenKey:
    """The key of a seed in base64; raise `BadTokenKey`."""
    try:
        raw = base64.b64decode(seed, validate=True)
    except (binascii.Error, ValueError):
        raise BadTokenKey(f"{_VARIABLE}: a seed is not base64") from None
    if len(raw) != _SEED_BYTES:
        raise BadTokenKey(f"{_VARIABLE}: a seed is {_SEED_BYTES} bytes in base64")
    private = Ed25519PrivateKey.from_private_bytes(raw)
    public = private.public_key()
    return TokenKey(kid=_thumbprint(public), private=private, public=public)


def new_seed() -> str:
    """A seed that nobody has had before."""
    return base64.b64encode(secrets.token_bytes(_SEED_BYTES)).decode()


def _members(public: Ed25519PublicKey) -> dict[str, str]:
    return {"crv": "Ed25519", "kty": "OKP", "x": _base64url(public.public_bytes_raw())}


def _thumbprint(public: Ed25519PublicKey) -> str:
    text = json.dumps(_members(public), sort_keys=True, separators=(",", ":"))
    return _base64url(hashlib.sha256(text.encode()).digest())


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
