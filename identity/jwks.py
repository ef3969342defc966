"""The public keys of access tokens, for whoever verifies them elsewhere."""

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse

from identity.credentials import Credentials
from identity.described import FOR_EVERYBODY, answers
from identity.documents import KeySetDocument

router = APIRouter(tags=["sessions"])
_MAX_AGE_S = 300


@router.get(
    "/.well-known/jwks.json",
    summary="The keys that verify access tokens",
    operation_id="get_token_keys",
    openapi_extra=FOR_EVERYBODY,
    responses=answers(200, KeySetDocument),
)
async def jwks(request: Request) -> JSONResponse:
    """A JWK set (RFC 7517); a token's `kid` names its key."""
    credentials: Credentials = request.app.state.credentials
    headers = {"Cache-Control": f"public, max-age={_MAX_AGE_S}"}
    return JSONResponse(credentials.signing.current().ring.jwks, headers=headers)
