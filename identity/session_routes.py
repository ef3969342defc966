"""Logging in, staying in, getting out."""

import secrets
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request, Response

from identity.access_tokens import Claims
from identity.accounts import Accounts
from identity.asking import Asking, asking
from identity.credentials import Credentials
from identity.described import (
    FOR_EVERYBODY,
    LOGGING_IN,
    OF_A_SESSION,
    OF_BODIES,
    REFRESHING,
    UNKNOWN_SESSION,
    answers,
    body_of,
)
from identity.documents import (
    Id,
    LoginBody,
    RefreshBody,
    SessionDocument,
    SessionsDocument,
    TokenBody,
    TokensDocument,
)
from identity.examples import SESSION
from identity.problems import unknown_session
from identity.sessions import Opened
from runtime.json_body import read_json
from runtime.origin import address_of
from runtime.rate_limits.limiting import charge_login

router = APIRouter(prefix="/api/v1/auth", tags=["sessions"])
_NO_STORE = "no-store"
_JTI_BYTES = 16
_DONE = "Done"
SessionId = Annotated[Id, Path(description="The session's UUID, in canonical form", examples=[SESSION])]


@router.post(
    "/login",
    summary="Log in",
    operation_id="log_in",
    openapi_extra={**body_of(LoginBody), **FOR_EVERYBODY},
    responses=answers(200, TokensDocument, *OF_BODIES, *LOGGING_IN),
)
async def login(request: Request, response: Response) -> TokensDocument:
    """Open a session: an access token for minutes, and a refresh token that is good for one use."""
    body = await read_json(request, LoginBody)
    await charge_login(request, body.username)
    credentials: Credentials = request.app.state.credentials
    accounts: Accounts = request.app.state.accounts
    address, began = address_of(request), await credentials.sessions.now()
    account = await accounts.authenticate(body.username, body.password, address, body.known_device)
    opened = await credentials.sessions.open(account, body.device or "", address, began)
    device = body.known_device or await accounts.know_device(account.user_id)
    response.headers["Cache-Control"] = _NO_STORE
    return await _tokens(credentials, opened, device)


@router.post(
    "/refresh",
    summary="Go on with a session",
    operation_id="refresh_session",
    openapi_extra={**body_of(RefreshBody), **FOR_EVERYBODY},
    responses=answers(200, TokensDocument, *OF_BODIES, *REFRESHING),
)
async def refresh(request: Request, response: Response) -> TokensDocument:
    """The next pair of tokens. A refresh token that comes a second time ends its session.

    For some seconds it may come again while nothing newer was used, as an answer can get lost.
    """
    body = await read_json(request, RefreshBody)
    credentials: Credentials = request.app.state.credentials
    opened = await credentials.sessions.refresh(body.refresh_token, address_of(request))
    response.headers["Cache-Control"] = _NO_STORE
    return await _tokens(credentials, opened, None)


@router.post(
    "/logout",
    status_code=204,
    summary="End this session",
    operation_id="log_out",
    responses=answers(204, None, *OF_A_SESSION),
    response_description=_DONE,
)
async def logout(asks: Annotated[Asking, Depends(asking)]) -> None:
    """Its tokens are good no more; where it is ended already, nothing happens."""
    await asks.credentials.sessions.end(asks.user_id, asks.session_id)


@router.get("/sessions", summary="Your sessions", responses=answers(200, SessionsDocument, *OF_A_SESSION))
async def list_sessions(asks: Annotated[Asking, Depends(asking)]) -> SessionsDocument:
    """The devices that are logged in."""
    found = await asks.credentials.sessions.of(asks.user_id)
    return SessionsDocument(
        sessions=[
            SessionDocument(
                session_id=one.session_id,
                device=one.device,
                address=one.address,
                created_at=one.created_at,
                last_used_at=one.last_used_at,
                expires_at=one.expires_at,
                current=one.session_id == asks.session_id,
            )
            for one in found
        ]
    )


@router.delete(
    "/sessions/{session_id}",
    status_code=204,
    summary="End one of your sessions",
    responses=answers(204, None, UNKNOWN_SESSION, *OF_A_SESSION),
    response_description=_DONE,
)
async def end_session(session_id: SessionId, asks: Annotated[Asking, Depends(asking)]) -> None:
    """Its tokens are good no more, within a second in every process."""
    if not await asks.credentials.sessions.end(asks.user_id, session_id):
        raise unknown_session(session_id)


@router.delete(
    "/sessions",
    status_code=204,
    summary="End all your sessions",
    responses=answers(204, None, *OF_A_SESSION),
    response_description=_DONE,
)
async def end_sessions(asks: Annotated[Asking, Depends(asking)]) -> None:
    """This one too. API keys stay; a login that is under way comes to nothing."""
    await asks.credentials.sessions.end_all(asks.user_id)


@router.post(
    "/tokens/revoke",
    status_code=204,
    summary="Revoke one access token",
    operation_id="revoke_token",
    openapi_extra=body_of(TokenBody),
    responses=answers(204, None, *OF_BODIES, *OF_A_SESSION),
    response_description=_DONE,
)
async def revoke(request: Request, asks: Annotated[Asking, Depends(asking)]) -> None:
    """Whoever has a token may let it be good no more, whosever it is; its session goes on."""
    body = await read_json(request, TokenBody)
    claims = asks.credentials.signing.current().read(body.token)
    await asks.credentials.sessions.revoke_token(claims.jti)


async def _tokens(credentials: Credentials, opened: Opened, known_device: str | None) -> TokensDocument:
    # From here on nothing may fail: an answer that is lost costs the session.
    affiliation = await credentials.affiliations.of(opened.user_id)
    claims = Claims(
        sub=opened.user_id,
        sid=opened.session_id,
        jti=secrets.token_hex(_JTI_BYTES),
        iat=opened.issued_at,
        exp=opened.issued_at + credentials.signing.life_s,
        org=affiliation.organization_id,
        tier=affiliation.tier,
    )
    return TokensDocument(
        access_token=credentials.signing.current().sign(claims),
        expires_in=claims.exp - claims.iat,
        refresh_token=opened.refresh_token,
        session_id=opened.session_id,
        user_id=opened.user_id,
        username=opened.username,
        organization_id=affiliation.organization_id,
        role=affiliation.role,
        known_device=known_device,
    )
