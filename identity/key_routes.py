"""API keys: made, listed, deleted by whoever they act for."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request, Response

from identity.api_keys import ApiKey
from identity.asking import Asking, asking
from identity.described import OF_A_SESSION, OF_BODIES, TOO_MANY_KEYS, UNKNOWN_KEY, answers, body_of
from identity.documents import Id, KeyBody, KeyDocument, KeysDocument, NewKeyDocument
from identity.examples import KEY
from runtime.json_body import read_json

router = APIRouter(prefix="/api/v1/auth/keys", tags=["keys"])
KeyId = Annotated[Id, Path(description="The key's UUID, in canonical form", examples=[KEY])]


@router.post(
    "",
    status_code=201,
    summary="Make an API key",
    openapi_extra=body_of(KeyBody),
    responses=answers(201, NewKeyDocument, TOO_MANY_KEYS, *OF_BODIES, *OF_A_SESSION),
)
async def create_key(
    request: Request, response: Response, asks: Annotated[Asking, Depends(asking)]
) -> NewKeyDocument:
    """A key for a machine, shown this once. It acts for you, with the rights of a role at the most."""
    body = await read_json(request, KeyBody)
    key, secret = await asks.credentials.keys.create(
        asks.user_id,
        body.name,
        body.right,
        session_id=asks.session_id,
        team_id=body.team_id,
        days=body.expires_in_days,
    )
    response.headers["Cache-Control"] = "no-store"
    return NewKeyDocument.model_validate(_members(key) | {"key": secret})


@router.get("", summary="Your API keys", responses=answers(200, KeysDocument, *OF_A_SESSION))
async def list_keys(asks: Annotated[Asking, Depends(asking)]) -> KeysDocument:
    """Without their secrets, which nobody has but you."""
    found = await asks.credentials.keys.of(asks.user_id)
    return KeysDocument(keys=[KeyDocument.model_validate(_members(key)) for key in found])


@router.delete(
    "/{key_id}",
    status_code=204,
    summary="Delete an API key",
    responses=answers(204, None, UNKNOWN_KEY, *OF_A_SESSION),
    response_description="Done",
)
async def delete_key(key_id: KeyId, asks: Annotated[Asking, Depends(asking)]) -> None:
    """It is good no more, within a second in every process."""
    await asks.credentials.keys.delete(asks.user_id, key_id)


def _members(key: ApiKey) -> dict[str, object]:
    return {
        "key_id": key.key_id,
        "name": key.name,
        "team_id": key.team_id,
        "right": key.at_most,
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "last_used_at": key.last_used_at,
    }
