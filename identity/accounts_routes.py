"""The routes of accounts: parse, hand over, answer. Logging in is with the sessions that it makes."""

from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse, Response

from identity.account_bodies import (
    Confirmation,
    Forgotten,
    PasswordChange,
    Registration,
    Reset,
    Verification,
    read_body,
)
from identity.account_problems import no_account, session_required
from identity.accounts import Accounts
from identity.confirming import Asker
from identity.described import (
    AWAY,
    CONFIRMED,
    FOR_EVERYBODY,
    OF_A_SESSION,
    OF_FORMS,
    REGISTERING,
    RESETTING,
    UNFIT,
    VERIFYING,
    answers,
    body_of,
)
from identity.password_changes import PasswordChanges
from runtime.authentication import Principal, principal_of
from runtime.origin import address_of
from runtime.problems import Problem

router = APIRouter(prefix="/api/v1/auth", tags=["accounts"])

_EXAMPLE_ID = "6f1c8a52-7a0e-4c63-9d0f-3a9a52f1c0de"


class Registered(BaseModel):
    """The new account."""

    model_config = ConfigDict(frozen=True)

    user_id: str = Field(examples=[_EXAMPLE_ID])
    username: str = Field(examples=["ada"])
    email_verified: bool = Field(examples=[False])


class Me(Registered):
    """The account of whoever asks."""

    email: str = Field(examples=["ada@example.org"])
    created_at: str = Field(examples=["2026-01-02T03:04:05.000000+00:00"])


def _nothing(status: int) -> Response:
    return Response(status_code=status)


def _accounts(request: Request) -> Accounts:
    accounts: Accounts = request.app.state.accounts
    return accounts


def _changes(request: Request) -> PasswordChanges:
    changes: PasswordChanges = request.app.state.password_changes
    return changes


def _person(request: Request) -> Principal:
    """Who asks, if it is they themselves and no machine of theirs."""
    principal = principal_of(request)
    if principal.key_id is not None:
        raise session_required()
    return principal


def _asker(request: Request) -> Asker:
    principal = _person(request)
    return Asker(user_id=principal.actor, session_id=principal.session_id, address=address_of(request))


def _takes(form: type[BaseModel], *problems: Problem, **extra: Any) -> dict[str, Any]:
    """What OpenAPI says of a route that takes a body and answers without one."""
    return {
        "openapi_extra": {**body_of(form), **extra},
        "responses": answers(204, None, *OF_FORMS, *problems),
        "response_description": "Done",
    }


@router.post(
    "/register",
    summary="Make an account",
    status_code=201,
    openapi_extra={**body_of(Registration), **FOR_EVERYBODY},
    responses=answers(201, Registered, *OF_FORMS, *REGISTERING),
)
async def register(request: Request) -> Response:
    """409 `username_taken` if it is. Whether an account has the address is told by mail only."""
    body = await read_body(request, Registration)
    made = await _accounts(request).register(
        body.username, body.email, body.password.get_secret_value(), address_of(request)
    )
    answer = Registered(user_id=made.user_id, username=made.username, email_verified=made.email_verified)
    return JSONResponse(answer.model_dump(), status_code=201)


@router.get(
    "/me", summary="Who you are", operation_id="get_me", responses=answers(200, Me, AWAY, no_account())
)
async def me(request: Request) -> Response:
    """404 `unknown_account` if whoever asks has no account, or no longer."""
    account = await _accounts(request).of(principal_of(request).actor)
    if account is None:
        raise no_account()
    answer = Me(
        user_id=account.user_id,
        username=account.username,
        email=account.email,
        email_verified=account.email_verified,
        created_at=account.created_at.isoformat(timespec="microseconds"),
    )
    return JSONResponse(answer.model_dump())


@router.post(
    "/password",
    summary="Change your password",
    status_code=204,
    **_takes(PasswordChange, UNFIT, *CONFIRMED),
)
async def change_password(request: Request) -> Response:
    """All of your other sessions end. 403 `wrong_password` if the present one is another."""
    asker = _asker(request)
    body = await read_body(request, PasswordChange)
    await _changes(request).change(
        asker, body.current_password.get_secret_value(), body.new_password.get_secret_value()
    )
    return _nothing(204)


@router.post(
    "/password/forgotten",
    summary="Ask for a new password",
    operation_id="ask_for_password",
    status_code=202,
    response_class=Response,
    **_takes(Forgotten, AWAY, **FOR_EVERYBODY),
)
async def forgotten(request: Request) -> Response:
    """A mail with a token is sent if an account has the address; the answer is the same if none has."""
    body = await read_body(request, Forgotten)
    await _changes(request).forgotten(body.email)
    return _nothing(202)


@router.post(
    "/password/reset",
    summary="Choose a new password",
    operation_id="reset_password",
    status_code=204,
    **_takes(Reset, *RESETTING, **FOR_EVERYBODY),
)
async def reset(request: Request) -> Response:
    """With the token of a mail, once. All sessions and API keys end, and the address is verified."""
    body = await read_body(request, Reset)
    await _changes(request).reset(
        body.token.get_secret_value(), body.new_password.get_secret_value(), address_of(request)
    )
    return _nothing(204)


@router.post(
    "/email/verify",
    summary="Verify your e-mail address",
    status_code=204,
    **_takes(Verification, *VERIFYING, **FOR_EVERYBODY),
)
async def verify_email(request: Request) -> Response:
    """With the token of a mail, once. 409 `email_taken` if another account has the address."""
    body = await read_body(request, Verification)
    await _accounts(request).verify_email(body.token.get_secret_value())
    return _nothing(204)


@router.post(
    "/email/resend",
    summary="Ask for another mail to verify your address",
    operation_id="resend_verification",
    status_code=202,
    response_class=Response,
    responses=answers(202, None, no_account(), *OF_A_SESSION),
    response_description="Done",
)
async def resend(request: Request) -> Response:
    """An address gets five mails an hour; further ones are not sent."""
    await _accounts(request).resend_verification(_person(request).actor)
    return _nothing(202)


@router.post(
    "/deactivate",
    summary="End your account",
    status_code=204,
    **_takes(Confirmation, *CONFIRMED),
)
async def deactivate(request: Request) -> Response:
    """For good: sessions and API keys end, the address is erased, and nobody gets the username."""
    asker = _asker(request)
    body = await read_body(request, Confirmation)
    await _accounts(request).deactivate(asker, body.password.get_secret_value())
    return _nothing(204)
