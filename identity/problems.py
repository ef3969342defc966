"""The problems that credentials can end in; docs/problems.md explains each."""

from runtime.authentication import CHALLENGE
from runtime.problems import Problem

_INVALID_TOKEN = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
"""RFC 6750, section 3.1."""
_RETRY = {"Retry-After": "1"}


def token_expired() -> Problem:
    """A token, a key or a session whose time is over."""
    detail = "the credential has expired: refresh the session, or log in again"
    return Problem("token_expired", 401, detail, headers=_INVALID_TOKEN)


def token_revoked(detail: str = "the credential was revoked: log in again") -> Problem:
    """A token, a key or a session that was ended."""
    return Problem("token_revoked", 401, detail, headers=_INVALID_TOKEN)


def bad_refresh_token() -> Problem:
    """A refresh token that no session has."""
    return Problem("unauthenticated", 401, "no session has this refresh token: log in", headers=CHALLENGE)


def auth_unavailable() -> Problem:
    """Whether the credential is good cannot be told at the moment."""
    detail = "whether the credential is still good cannot be told at the moment: try again"
    return Problem("auth_unavailable", 503, detail, headers=_RETRY)


def identity_unavailable() -> Problem:
    """Postgres does not answer, and nothing was done or changed as far as is known."""
    detail = "accounts, sessions and keys cannot be reached at the moment: try again"
    return Problem("database_unavailable", 503, detail, headers=_RETRY)


def unknown_session(session_id: str) -> Problem:
    """A session that the user does not have."""
    return Problem("unknown_session", 404, f"you have no session with the id {session_id}")


def unknown_key(key_id: str) -> Problem:
    """A key that the user does not have."""
    return Problem("unknown_key", 404, f"you have no API key with the id {key_id}")


def too_many_keys(most: int) -> Problem:
    """More keys than anybody needs."""
    return Problem("too_many_keys", 409, f"you have {most} API keys: delete one first", limit=most)
