"""Access tokens that must not be taken, each wrong in one way."""

import base64
import hashlib
import hmac
import json
import time
from typing import Any

import jwt
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pydantic import SecretStr

from identity.access_tokens import TokenFormat
from identity.token_keys import key_ring
from runtime.settings import Settings
from tests.tokens import claims_of, form, token_of

_OTHER_SEED = base64.b64encode(b"a key that the service knows not").decode()


def expired(actor: str) -> str:
    """Good until a minute ago."""
    now = int(time.time())
    return token_of(actor, iat=now - 960, exp=now - 60)


def of_an_unknown_key(actor: str) -> str:
    """Signed by a key of somebody else's, and it says so."""
    ring = key_ring(Settings(_env_file=None, token_keys=SecretStr(_OTHER_SEED)))
    return TokenFormat(ring=ring, issuer="patternlog", audience="patternlog").sign(claims_of(actor))


def under_our_name(actor: str) -> str:
    """Signed by a key of somebody else's, under the name of ours."""
    ring = key_ring(Settings(_env_file=None, token_keys=SecretStr(_OTHER_SEED)))
    return jwt.encode(_said(actor), ring.signing.private, algorithm="EdDSA", headers=_named())


def unsigned(actor: str) -> str:
    """Of the algorithm that is none."""
    head, payload = _part({"alg": "none", "typ": "JWT", **_named()}), _part(_said(actor))
    return f"{head}.{payload}."


def unsigned_with_a_signature(actor: str) -> str:
    """The same, with the signature of another token of ours."""
    return unsigned(actor) + token_of(actor).rsplit(".", 1)[1]


def by_the_public_key(actor: str, encoding: Encoding) -> str:
    """HS256, with the public key as if it were a secret."""
    if encoding is Encoding.PEM:
        secret = _public(encoding, PublicFormat.SubjectPublicKeyInfo)
    else:
        secret = _public(encoding, PublicFormat.Raw)
    text = f"{_part({'alg': 'HS256', 'typ': 'JWT', **_named()})}.{_part(_said(actor))}"
    return f"{text}.{_text(hmac.digest(secret, text.encode(), hashlib.sha256))}"


def tampered(actor: str, of: str) -> str:
    """Another's token, with this one's name in it."""
    head, payload, signature = token_of(of).split(".")
    said = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return f"{head}.{_part({**said, 'sub': actor})}.{signature}"


def forged(actor: str, of: str) -> dict[str, str]:
    """All that are not ours, in the name of an actor; `of` is somebody who does have tokens."""
    return {
        "signed by an unknown key": of_an_unknown_key(actor),
        "signed by another under our key's name": under_our_name(actor),
        "alg=none": unsigned(actor),
        "alg=none with a signature": unsigned_with_a_signature(actor),
        "HS256 with the public key": by_the_public_key(actor, Encoding.Raw),
        "HS256 with the public key as PEM": by_the_public_key(actor, Encoding.PEM),
        "tampered": tampered(actor, of),
    }


def _public(encoding: Encoding, public_format: PublicFormat) -> bytes:
    return form().ring.signing.private.public_key().public_bytes(encoding, public_format)


def _named() -> dict[str, str]:
    return {"kid": form().ring.signing.kid}


def _said(actor: str) -> dict[str, Any]:
    good = token_of(actor)
    said: dict[str, Any] = jwt.decode(good, options={"verify_signature": False})
    return said


def _part(value: object) -> str:
    return _text(json.dumps(value).encode())


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
