"""Settings of accounts, passwords, mails, tokens and sessions: one group of those in settings.py."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings


class MailSecurity(StrEnum):
    """How a connection to the mail server is kept from others."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


class IdentitySettings(BaseSettings):
    """Settings of whoever lets people in."""

    token_keys: SecretStr = Field(
        SecretStr(""),
        description="Seeds of the keys of access tokens, comma-separated; the first signs, all are taken",
    )
    token_issuer: str = Field("patternlog", description="Who issues access tokens: their claim `iss`")
    token_audience: str = Field("patternlog", description="For whom access tokens are: their claim `aud`")
    access_token_s: Annotated[int, Field(gt=0, le=3600)] = Field(
        900, description="Seconds for which an access token is good"
    )
    token_leeway_s: Annotated[int, Field(ge=0, le=60)] = Field(
        5, description="Seconds by which the clocks of two machines may differ"
    )
    refresh_token_days: Annotated[int, Field(ge=1, le=365)] = Field(
        30, description="Days without a refresh after which a session ends"
    )
    session_days: Annotated[int, Field(ge=1, le=3650)] = Field(
        365, description="Days after which a session ends in any case"
    )
    refresh_grace_s: Annotated[float, Field(ge=0, le=60)] = Field(
        10.0, description="Seconds in which a used refresh token is taken again if its answer may be lost"
    )
    remembered_credentials: Annotated[int, Field(ge=1)] = Field(
        20_000, description="Verified credentials that a process remembers"
    )
    bcrypt_cost: Annotated[int, Field(ge=4, le=18)] = Field(
        12, description="Two to this power are the rounds of a password's hash; a login renews cheaper ones"
    )
    password_processes: Annotated[int, Field(ge=1, le=64)] = Field(
        2, description="Processes of low priority that hash passwords, per process that needs it"
    )
    password_queue: Annotated[int, Field(ge=1)] = Field(
        64, description="Passwords hashed or waiting for it above which logins are answered 503"
    )
    public_url: str = Field(
        "http://127.0.0.1:8080", description="Where people reach the service: what links in mails begin with"
    )
    verify_email_s: Annotated[int, Field(gt=0)] = Field(
        172_800, description="Seconds for which the link that verifies an e-mail address is good"
    )
    reset_password_s: Annotated[int, Field(gt=0)] = Field(
        3_600, description="Seconds for which the link that resets a password is good"
    )
    mail_host: str = Field("", description="Mail server (SMTP); none: mails go to mail_folder, or wait")
    mail_port: Annotated[int, Field(ge=1, le=65535)] = Field(587, description="Port of the mail server")
    mail_security: MailSecurity = Field(
        MailSecurity.STARTTLS, description="starttls, tls, or none on a network that nobody listens on"
    )
    mail_user: str = Field("", description="Whom the mail server knows us as, if it asks")
    mail_password: SecretStr = Field(SecretStr(""), description="Our password at the mail server")
    mail_from: str = Field("patternlog@localhost.localdomain", description="Whom mails come from")
    mail_timeout_s: Annotated[float, Field(gt=0)] = Field(
        10.0, description="Seconds to wait for the mail server"
    )
    mail_folder: str = Field("", description="Folder that mails are written to, for development")
