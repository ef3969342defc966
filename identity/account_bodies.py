"""The bodies of requests to accounts: read strictly, and never quoted in an answer."""

from typing import TypeVar

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from events.errors import InvalidJson
from events.json_text import parse
from identity.account_problems import malformed_account
from identity.account_rules import MAX_EMAIL, MAX_TYPED
from runtime.problems import Problem

_MAX_BYTES = 65_536
_EXAMPLE_PASSWORD = "correct battery staple horse"  # noqa: S105 - an example
_EXAMPLE_TOKEN = "x" * 43


class Body(BaseModel):
    """A body has these members and no others."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


B = TypeVar("B", bound=Body)


class Registration(Body):
    """Who wants an account."""

    username: str = Field(max_length=MAX_TYPED, examples=["ada"])
    email: str = Field(max_length=MAX_TYPED, examples=["ada@example.org"])
    password: SecretStr = Field(examples=[_EXAMPLE_PASSWORD])


class PasswordChange(Body):
    """The present password and the next."""

    current_password: SecretStr = Field(examples=[_EXAMPLE_PASSWORD])
    new_password: SecretStr = Field(examples=["a better battery staple"])


class Forgotten(Body):
    """Where to send the mail."""

    email: str = Field(max_length=MAX_TYPED, examples=["ada@example.org"], description=f"Up to {MAX_EMAIL}")


class Reset(Body):
    """The token of the mail, and the next password."""

    token: SecretStr = Field(examples=[_EXAMPLE_TOKEN])
    new_password: SecretStr = Field(examples=["a better battery staple"])


class Verification(Body):
    """The token of the mail."""

    token: SecretStr = Field(examples=[_EXAMPLE_TOKEN])


class Confirmation(Body):
    """The present password."""

    password: SecretStr = Field(examples=[_EXAMPLE_PASSWORD])


async def read_body(request: Request, form: type[B]) -> B:
    """The body in its form; raise `Problem` 400 or 413."""
    text = await request.body()
    if len(text) > _MAX_BYTES:
        detail = f"a body here has at most {_MAX_BYTES} bytes"
        raise Problem("body_too_large", 413, detail, limit=_MAX_BYTES)
    try:
        return form.model_validate(parse(text))
    except InvalidJson as error:
        raise Problem(error.code, 400, error.reason) from None
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        name = str(first["loc"][-1]) if first["loc"] else "body"
        shown = name if name in form.model_fields else "body"
        raise malformed_account(shown, first["msg"]) from None
