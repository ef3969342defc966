"""Who asks for their own sessions and keys: somebody who has logged in."""

from dataclasses import dataclass

from fastapi import Request

from identity.account_problems import session_required
from identity.credentials import Credentials
from runtime.authentication import principal_of


@dataclass(frozen=True, kw_only=True, slots=True)
class Asking:
    """A user with a session."""

    user_id: str
    session_id: str
    credentials: Credentials


async def asking(request: Request) -> Asking:
    """Raise 401, or 403 where an API key asks: it must not make others, nor end what its owner does."""
    principal = principal_of(request)
    if principal.session_id is None:
        raise session_required()
    credentials: Credentials = request.app.state.credentials
    return Asking(user_id=principal.actor, session_id=principal.session_id, credentials=credentials)
