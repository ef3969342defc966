"""Every setting of the servers, from `PATTERNLOG_*` environment variables and `.env`."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Environment(StrEnum):
    """Where the service runs."""

    DEVELOPMENT = "development"
    STAGING = "staging"
    PRODUCTION = "production"


class MailSecurity(StrEnum):
    """How a connection to the mail server is kept from others."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


class Settings(BaseSettings):
    """Settings of every process; `.env.example` is made from these fields."""

    model_config = SettingsConfigDict(env_prefix="PATTERNLOG_", env_file=".env", extra="ignore", frozen=True)

    environment: Environment = Field(Environment.PRODUCTION, description="development, staging or production")

    kafka_bootstrap: str = Field("127.0.0.1:9092", description="Kafka brokers, host:port, comma-separated")
    kafka_request_timeout_s: Annotated[float, Field(gt=0)] = Field(
        10.0, description="Seconds until a request to Kafka counts as unanswered"
    )
    group_session_timeout_s: Annotated[float, Field(ge=6)] = Field(
        6.0, description="Seconds without a heartbeat until a dead member's partitions go to another"
    )
    topic_prefix: str = Field("patternlog", description="First part of the topics' names")
    log_partitions: Annotated[int, Field(ge=1, le=1024)] = Field(
        8, description="Partitions of the log; fixed when the log is made"
    )
    log_replication: Annotated[int, Field(ge=1)] = Field(
        1, description="Copies of each partition; 3 on a cluster"
    )

    postgres_dsn: SecretStr = Field(
        SecretStr("postgresql://postgres@127.0.0.1:5432/patternlog"), description="Postgres, as a URL"
    )
    postgres_pool_size: Annotated[int, Field(ge=1)] = Field(8, description="Connections kept per process")
    postgres_pool_overflow: Annotated[int, Field(ge=0)] = Field(8, description="Connections more under load")
    postgres_pool_timeout_s: Annotated[float, Field(gt=0)] = Field(
        5.0, description="Seconds to wait for a connection from the pool"
    )
    postgres_pool_recycle_s: Annotated[int, Field(gt=0)] = Field(
        1800, description="Seconds after which a connection is replaced"
    )
    postgres_connect_timeout_s: Annotated[float, Field(gt=0)] = Field(
        5.0, description="Seconds to wait for a new connection"
    )
    postgres_statement_timeout_s: Annotated[float, Field(gt=0)] = Field(
        30.0, description="Seconds until a statement is cancelled"
    )

    redis_url: SecretStr = Field(SecretStr("redis://127.0.0.1:6379/0"), description="Redis, as a URL")

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

    host: str = Field("127.0.0.1", description="Address on which the process listens")
    port: Annotated[int, Field(ge=0, le=65535)] = Field(
        8080, description="Port on which the process listens; 0 takes a free one"
    )
    port_file: str = Field("", description="File that receives the port on which the process listens, if set")
    log_level: str = Field("INFO", description="DEBUG, INFO, WARNING, ERROR or CRITICAL")

    max_body_bytes: Annotated[int, Field(gt=0)] = Field(
        8 * 1024 * 1024, description="Largest request body that is read"
    )
    max_command_bytes: Annotated[int, Field(gt=0)] = Field(
        2 * 1024 * 1024, description="Largest single command"
    )
    max_batch: Annotated[int, Field(gt=0, le=500)] = Field(500, description="Commands in one request")
    default_wait_s: Annotated[float, Field(ge=0)] = Field(
        10.0, description="Seconds a request waits for its outcome when it does not say"
    )
    max_wait_s: Annotated[float, Field(gt=0)] = Field(30.0, description="Longest wait a request may ask for")

    append_timeout_s: Annotated[float, Field(gt=0)] = Field(
        10.0, description="Seconds until an append's fate is unknown and its partition is taken anew"
    )
    decider_batch: Annotated[int, Field(ge=1)] = Field(500, description="Commands decided at a time")
    decider_max_lag: Annotated[int, Field(ge=1)] = Field(
        200_000, description="Events not yet projected above which a decider does not take a partition"
    )
    retake_after_s: Annotated[float, Field(gt=0)] = Field(
        86_400.0, description="Seconds after which an owner takes its partition anew"
    )
    retake_after_records: Annotated[int, Field(ge=1)] = Field(
        100_000, description="Outcomes after which an owner takes its partition anew"
    )

    projector_batch: Annotated[int, Field(ge=1)] = Field(2_000, description="Records projected at a time")
    watchdog_s: Annotated[float, Field(gt=0)] = Field(
        30.0, description="Seconds without progress behind the log's end until a consumer is restarted"
    )
    origin_retention_days: Annotated[int, Field(ge=1, le=30)] = Field(
        30, description="Days for which the audit shows from which address and program a command came"
    )
    tree_head_keys: SecretStr = Field(
        SecretStr(""), description="Seeds of the keys that sign tree heads, comma-separated; none: unsigned"
    )
    tree_head_name: str = Field("patternlog", description="Name of the keys, and first part of each log's")
    tree_head_events: Annotated[int, Field(ge=1)] = Field(
        1_000, description="Events after which a log's new tree head is signed at the latest"
    )
    tree_head_s: Annotated[float, Field(gt=0)] = Field(
        60.0, description="Seconds after which a grown log's new tree head is signed at the latest"
    )
    witnesses: str = Field("", description="Witnesses of tree heads, comma-separated: URL, a space, and vkey")
    witness_timeout_s: Annotated[float, Field(gt=0)] = Field(
        5.0, description="Seconds that a round of signing waits for the witnesses at the most"
    )
    shutdown_s: Annotated[float, Field(gt=0)] = Field(
        20.0, description="Seconds that a process takes at the most to finish its work on stop"
    )
