"""Whom a credential stands for: an access token or an API key, verified once and remembered."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from identity.access_tokens import Claims, TokenFormat
from identity.affiliations import Affiliations
from identity.api_keys import ApiKey, ApiKeys
from identity.key_uses import KeyUses
from identity.problems import auth_unavailable, token_expired, token_revoked
from identity.remembered import Remembered
from identity.revocations import Kind, Revocations
from identity.secret_texts import KEY_LENGTH, KEY_PREFIX, hash_of
from identity.signing import Signing
from runtime.authentication import Principal, unauthenticated
from runtime.problems import Problem

_LOOK_AGAIN_S: Final = 900.0
"""Seconds after which the organization of a key's user is looked up again."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Clock:
    """Seconds since 1970, by which credentials expire; and seconds that never go back."""

    wall: Callable[[], float] = time.time
    steady: Callable[[], float] = time.monotonic


@dataclass(frozen=True, kw_only=True, slots=True)
class _Verified:
    """A credential that was found good: until when, on either clock, and what revokes it."""

    principal: Principal
    named: tuple[tuple[str, str | None], ...]
    until: float
    until_steady: float
    verified_at: float


class Authenticator:
    """Implements `runtime.authentication.Authenticator`."""

    def __init__(
        self,
        signing: Signing,
        revocations: Revocations,
        keys: ApiKeys,
        affiliations: Affiliations,
        most_remembered: int,
        clock: Clock | None = None,
    ) -> None:
        self._signing = signing
        self._format = signing.current()
        self._revocations = revocations
        self._keys = keys
        self._affiliations = affiliations
        self._clock = clock or Clock()
        self._tokens: Remembered[_Verified] = Remembered(most_remembered)
        self._known_keys: Remembered[_Verified] = Remembered(most_remembered)
        self.uses = KeyUses(self._clock.wall)

    async def principal_of(self, authorization: str) -> Principal:
        """Whom it stands for; raise `Problem` 401, or 503 `auth_unavailable` where it cannot tell."""
        scheme, _, credential = authorization.partition(" ")
        credential = credential.strip(" ")
        if scheme.lower() != "bearer" or not credential:
            raise unauthenticated("send `Authorization: Bearer <token>`, with an access token or an API key")
        if not self._revocations.is_current(self._clock.steady()):
            raise auth_unavailable()
        verified = await self._verified(credential)
        if self._revocations.is_revoked(*verified.named):
            raise token_revoked()
        return verified.principal

    async def _verified(self, credential: str) -> _Verified:
        if credential.startswith(KEY_PREFIX):
            return await self._key(credential)
        return self._token(credential)

    def _token(self, token: str) -> _Verified:
        form = self._signing.current()
        if form is not self._format:
            # A key that was taken out of the settings vouches for nothing any more.
            self._format = form
            self._tokens.clear()
        digest = hash_of(token)
        known = self._tokens.get(digest)
        if known is None or not self._lasts(known):
            known = self._of_claims(form, form.read(token))
            self._tokens.put(digest, known)
        return known

    def _of_claims(self, form: TokenFormat, claims: Claims) -> _Verified:
        principal = Principal(
            actor=claims.sub, organization_id=claims.org, tier=claims.tier, session_id=claims.sid
        )
        named = ((Kind.TOKEN.value, claims.jti), (Kind.SESSION.value, claims.sid))
        return self._good(principal, named, claims.exp + form.leeway_s)

    async def _key(self, secret: str) -> _Verified:
        if len(secret) > KEY_LENGTH or not secret.isascii():
            raise _unknown_key()
        digest = hash_of(secret)
        known = self._known_keys.get(digest)
        if known is None or not self._lasts(known) or not self._is_current(known):
            known = await self._look_up(digest, known)
            self._known_keys.put(digest, known)
        self.uses.note(str(known.principal.key_id))
        return known

    async def _look_up(self, digest: bytes, known: _Verified | None) -> _Verified:
        try:
            began = self._clock.steady()
            key = await self._keys.find(digest)
            if key is None:
                raise _unknown_key()
            return replace(await self._of_key(key), verified_at=began)
        except Problem as problem:
            if problem.status < 500:
                raise
            # Only its organization was to be looked up again: that can wait.
            if known is not None and self._is_current(known) and known.until > self._clock.wall():
                return known
            raise auth_unavailable() from problem

    async def _of_key(self, key: ApiKey) -> _Verified:
        until = float("inf") if key.expires_at is None else key.expires_at.timestamp()
        if until <= self._clock.wall():
            raise token_expired()
        affiliation = await self._affiliations.of(key.user_id)
        principal = Principal(
            actor=key.user_id,
            organization_id=affiliation.organization_id,
            tier=affiliation.tier,
            key_id=key.key_id,
            team_id=key.team_id,
            at_most=key.at_most,
        )
        found = self._good(principal, ((Kind.KEY.value, key.key_id),), until)
        return replace(found, until_steady=min(found.until_steady, self._clock.steady() + _LOOK_AGAIN_S))

    def _good(
        self, principal: Principal, named: tuple[tuple[str, str | None], ...], until: float
    ) -> _Verified:
        steady = self._clock.steady()
        return _Verified(
            principal=principal,
            named=named,
            until=until,
            # A wall clock that is put back must not keep it longer.
            until_steady=steady + until - self._clock.wall(),
            verified_at=steady,
        )

    def _lasts(self, known: _Verified) -> bool:
        return self._clock.wall() < known.until and self._clock.steady() < known.until_steady

    def _is_current(self, known: _Verified) -> bool:
        return self._revocations.is_key_current(known.verified_at, self._clock.steady())


def _unknown_key() -> Problem:
    return unauthenticated("no API key is this one")
