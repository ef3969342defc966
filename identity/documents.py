"""The bodies that sessions and keys take and give."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from events.identifiers import canonical_uuid
from events.roles import Role


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("must be printable characters")
    return text


Id = Annotated[str, AfterValidator(canonical_uuid)]
Name = Annotated[str, Field(min_length=1, max_length=64), AfterValidator(_printable)]
Secret = Annotated[str, Field(min_length=1, max_length=4096)]


class Body(BaseModel):
    """What a request holds, and nothing else."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class LoginBody(Body):
    """Who wants to get in, and from what."""

    username: Annotated[Secret, Field(description="The username, or the e-mail address")]
    password: Annotated[Secret, Field(repr=False)]
    device: Annotated[Name | None, Field(description="What to call the session")] = None
    known_device: Annotated[
        Secret | None, Field(repr=False, description="From an earlier login on the same device")
    ] = None


class RefreshBody(Body):
    """A session that wants to go on."""

    refresh_token: Annotated[Secret, Field(repr=False)]


class TokenBody(Body):
    """A token that is to be good no more."""

    token: Annotated[Secret, Field(repr=False)]


class KeyBody(Body):
    """A key that is wanted."""

    name: Name
    team_id: Annotated[Id | None, Field(description="The one team that it is good for")] = None
    right: Annotated[Role, Field(description="The role whose rights it has, as far as you have them")]
    expires_in_days: Annotated[int | None, Field(ge=1, le=3650, strict=True)] = None


class TokensDocument(BaseModel):
    """What a client goes on with."""

    access_token: Annotated[str, Field(repr=False)]
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 - a name
    expires_in: Annotated[int, Field(description="Seconds")]
    refresh_token: Annotated[str, Field(repr=False, description="Good for one use")]
    session_id: str
    user_id: str
    username: str
    organization_id: str | None
    role: Annotated[str | None, Field(description="In the organization")]
    known_device: Annotated[
        str | None, Field(repr=False, description="To be sent with the next login on this device")
    ] = None


class SessionDocument(BaseModel):
    """A device that is logged in."""

    session_id: str
    device: str
    address: Annotated[str, Field(description="Where it was last refreshed from")]
    created_at: datetime
    last_used_at: Annotated[datetime, Field(description="When it was last refreshed")]
    expires_at: datetime
    current: Annotated[bool, Field(description="Whether it is the one that asks")]


class SessionsDocument(BaseModel):
    """The devices that are logged in, the one used last first."""

    sessions: list[SessionDocument]


class KeyDocument(BaseModel):
    """An API key, without its secret."""

    key_id: str
    name: str
    team_id: str | None
    right: Role
    created_at: datetime
    expires_at: datetime | None
    last_used_at: Annotated[datetime | None, Field(description="To the minute")]


class NewKeyDocument(KeyDocument):
    """An API key, with its secret: this once."""

    key: Annotated[str, Field(repr=False)]


class KeysDocument(BaseModel):
    """API keys, the oldest first."""

    keys: list[KeyDocument]


class TokenKeyDocument(BaseModel):
    """The public half of a key, as a JWK (RFC 8037)."""

    kty: Literal["OKP"]
    crv: Literal["Ed25519"]
    x: str
    kid: Annotated[str, Field(description="The thumbprint (RFC 7638), which tokens name")]
    use: Literal["sig"]
    alg: Literal["EdDSA"]


class KeySetDocument(BaseModel):
    """The keys by which access tokens can be verified."""

    keys: list[TokenKeyDocument]
