"""Whom a call of the command line is made for: a token that was given, or somebody who signed in."""

import httpx

from sync_client.credentials import Credentials, credentials_path
from sync_client.errors import NeedsSignIn
from sync_client.options import token_from
from sync_client.session_auth import BearerToken, SessionAuth


def auth_for(server: str, token: str | None, username: str | None = None) -> httpx.Auth:
    """A token from option or environment, else the server's account; raise `NeedsSignIn` without either."""
    given = token_from(token)
    if given is not None:
        return bearer(given)
    credentials = Credentials(credentials_path())
    return SessionAuth(credentials, credentials.find(server, username))


def bearer(token: str) -> BearerToken:
    """A token as it was given; raise `NeedsSignIn` for text that is no token."""
    if not token.isascii() or not token.isprintable() or not token:
        raise NeedsSignIn("bad_token", "the token is not one line of ASCII text")
    return BearerToken(token)


def username_of(auth: httpx.Auth) -> str | None:
    """Who has signed in, if it is a session."""
    return auth.account.username if isinstance(auth, SessionAuth) else None
