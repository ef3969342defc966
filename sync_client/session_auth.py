"""How a request says for whom it is sent: by a token as it was given, or by a session that renews itself."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator
from contextlib import asynccontextmanager

import httpx

from events.json_text import dump
from sync_client.credentials import Account, Credentials, sign_in_hint
from sync_client.errors import NeedsSignIn, TryLater
from sync_client.http_errors import error_of
from sync_client.identity_wire import Moment, moment, read_account

SKEW_S = 60.0
"""So long before its end a token is renewed: the server's clock may be ahead, and requests take a while."""
_RENEWABLE = frozenset({"token_expired", "unauthenticated"})
"""Refusals of an access token that say nothing against the session."""
_TURN_S = 60.0
_LOOK_S = 0.05


class BearerToken(httpx.Auth):
    """A token for machines, sent as it is."""

    def __init__(self, token: str) -> None:
        self._token = token

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Send it."""
        yield _bearing(request, self._token)


class SessionAuth(httpx.Auth):
    """Someone's session: its access token is renewed before it ends, or when the server says that it has.

    Whoever renews holds a lock across processes, for a refresh token is good for one use: those who come
    second find the new tokens in the file. A request that was refused meanwhile is sent once more.
    """

    def __init__(
        self, credentials: Credentials, account: Account, now: Callable[[], Moment] = moment
    ) -> None:
        self._credentials = credentials
        self._account = account
        self._now = now
        self._seen_at = now()

    @property
    def account(self) -> Account:
        """Who is signed in."""
        return self._account

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Send the request, with what it takes before and after."""
        refused: str | None = None
        while True:
            if self._is_spent(refused):
                async with self._turn():
                    self._look_again()
                    if self._is_spent(refused):
                        asked_at = self._now()
                        answer = yield self._refreshing()
                        await answer.aread()
                        self._renew(answer, asked_at, refused)
            token = self._account.access_token
            response = yield _bearing(request, token)
            if response.status_code != httpx.codes.UNAUTHORIZED:
                return
            await response.aread()
            error = error_of(response)
            if refused is not None or error.code not in _RENEWABLE:
                raise NeedsSignIn(error.code, f"{error.message}: {self._hint()}")
            refused = token

    # ---------------------------------------------------------------- renewing

    def _refreshing(self) -> httpx.Request:
        body = dump({"refresh_token": self._account.refresh_token})
        url = f"{self._account.server}/api/v1/auth/refresh"
        return httpx.Request("POST", url, content=body, headers={"Content-Type": "application/json"})

    def _renew(self, answer: httpx.Response, asked_at: Moment, refused: str | None) -> None:
        if answer.status_code == httpx.codes.OK:
            self._account = read_account(self._account.server, answer.content, asked_at)
            self._seen_at = asked_at
            self._credentials.renew(self._account)
            return
        error = error_of(answer)
        if isinstance(error, TryLater) and refused is None and self._left() > 0:
            return
        if isinstance(error, NeedsSignIn):
            if not error.code.startswith("http_"):
                self._credentials.sign_out(self._account)
            raise NeedsSignIn(error.code, f"{error.message}: {self._hint()}")
        raise error

    def _look_again(self) -> None:
        """What is in the file by now; raise `NeedsSignIn` if they signed out."""
        found = self._credentials.find(self._account.server, self._account.username)
        if found.access_token != self._account.access_token:
            self._account, self._seen_at = found, self._now()

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        """Wait until no other process renews these tokens."""
        ends = self._now().steady + _TURN_S
        while True:
            with self._credentials.turn_of(self._account) as is_ours:
                if is_ours:
                    yield
                    return
            if self._now().steady > ends:
                raise TryLater("credentials_locked", "another process is renewing the session")
            await asyncio.sleep(_LOOK_S)

    # ---------------------------------------------------------------- time

    def _is_spent(self, refused: str | None) -> bool:
        account = self._account
        return account.access_token == refused or self._left() <= min(SKEW_S, account.expires_in / 4)

    def _left(self) -> float:
        """How long the token is good for, in seconds, by the clock that is worse for it.

        A wall clock that is before the token's making was set back: what it says of other processes'
        tokens is worth nothing, and the steady clock knows of the time in this process only.
        """
        account, now = self._account, self._now()
        if now.wall < account.obtained_at:
            return 0.0
        age_when_seen = max(0.0, self._seen_at.wall - account.obtained_at)
        steady = age_when_seen + now.steady - self._seen_at.steady
        return account.expires_in - max(now.wall - account.obtained_at, steady)

    def _hint(self) -> str:
        return sign_in_hint(self._account.server, self._account.username)


def _bearing(request: httpx.Request, token: str) -> httpx.Request:
    request.headers["Authorization"] = f"Bearer {token}"
    return request
