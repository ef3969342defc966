"""Access tokens: JSON Web Tokens (RFC 7519) that are signed with EdDSA and good for minutes."""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jwt

from events.identifiers import is_uuid
from events.roles import Tier
from identity.problems import token_expired
from identity.token_keys import KeyRing
from runtime.authentication import unauthenticated
from runtime.problems import Problem

MAX_LENGTH = 4096
"""Characters of a token that is looked at."""
LONGEST_LIFE_S = 3600
"""Seconds for which any token can be good, whatever the settings were when it was signed."""
_ALGORITHM = "EdDSA"
_CLAIMS = ("exp", "iat", "sub", "sid", "jti", "iss", "aud")
_SEGMENTS = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.([A-Za-z0-9_-]+)", re.ASCII)
_ACTOR = re.compile(r"[A-Za-z0-9._@-]{1,64}", re.ASCII)
_UNREADABLE = (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError)
"""What the library raises on what is no token of ours."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Claims:
    """What a token says; times in seconds since 1970."""

    sub: str
    sid: str
    jti: str
    iat: int
    exp: int
    org: str | None = None
    tier: Tier = Tier.FREE


@dataclass(frozen=True, kw_only=True, slots=True)
class TokenFormat:
    """By which keys and for whom tokens are signed."""

    ring: KeyRing
    issuer: str
    audience: str
    leeway_s: int = 0

    def sign(self, claims: Claims) -> str:
        """The token that says so."""
        said: dict[str, Any] = {
            "iss": self.issuer,
            "aud": self.audience,
            "sub": claims.sub,
            "sid": claims.sid,
            "jti": claims.jti,
            "iat": claims.iat,
            "exp": claims.exp,
            "tier": claims.tier.value,
        }
        if claims.org is not None:
            said["org"] = claims.org
        key = self.ring.signing
        return jwt.encode(said, key.private, algorithm=_ALGORITHM, headers={"kid": key.kid})

    def read(self, token: str) -> Claims:
        """What a token says; raise `Problem` 401 for any but a good one of ours."""
        try:
            return _claims(self._decoded(token))
        except jwt.ExpiredSignatureError:
            raise token_expired() from None
        except Problem:
            raise
        except _UNREADABLE:
            raise not_ours() from None

    def _decoded(self, token: str) -> dict[str, Any]:
        _check_form(token)
        # The header only chooses among our own keys; the algorithm is not its to say.
        key = self.ring.by_kid.get(jwt.get_unverified_header(token).get("kid", ""))
        if key is None:
            raise not_ours()
        return jwt.decode(
            token,
            key.public,
            algorithms=[_ALGORITHM],
            issuer=self.issuer,
            audience=self.audience,
            leeway=self.leeway_s,
            options={"require": list(_CLAIMS), "strict_aud": True},
        )


def not_ours() -> Problem:
    """Why a token is not taken; what is wrong with it is nobody's business."""
    return unauthenticated("the access token is not one that this service signed for itself")


def _check_form(token: str) -> None:
    found = _SEGMENTS.fullmatch(token) if len(token) <= MAX_LENGTH else None
    if found is None:
        raise not_ours()
    # The last character has bits to spare: of the texts that mean the same bytes, one is taken.
    signature = base64.urlsafe_b64decode(found[1] + "=" * (-len(found[1]) % 4))
    if base64.urlsafe_b64encode(signature).rstrip(b"=").decode() != found[1]:
        raise not_ours()


def _claims(said: Mapping[str, Any]) -> Claims:
    sub, sid, jti, org = said["sub"], said["sid"], said["jti"], said.get("org")
    iat, exp = int(said["iat"]), int(said["exp"])
    if not all(isinstance(text, str) and _ACTOR.fullmatch(text) for text in (sub, sid, jti)):
        raise not_ours()
    if not (org is None or (isinstance(org, str) and is_uuid(org))) or exp - iat > LONGEST_LIFE_S:
        raise not_ours()
    return Claims(
        sub=sub, sid=sid, jti=jti, iat=iat, exp=exp, org=org, tier=Tier(said.get("tier", Tier.FREE))
    )
