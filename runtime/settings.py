"""Every setting of the servers, from `PATTERNLOG_*` environment variables, `.env`, files, Vault or AWS."""

from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import Field, PrivateAttr, SecretStr
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from runtime.identity_settings import IdentitySettings
from runtime.secrets.checks import CheckedDsn, CheckedRedisUrl
from runtime.secrets.sources import named_sources


class Environment(StrEnum):
    """Where the service runs."""

    DEVELOPMENT = "development"
    STAGING = "staging"
    PRODUCTION = "production"


class Settings(IdentitySettings):
    """Settings of every process; `.env.example` is made from these fields."""

    model_config = SettingsConfigDict(
        env_prefix="PATTERNLOG_", env_file=".env", extra="ignore", frozen=True, hide_input_in_errors=True
    )
    _newest: Callable[[], Self] | None = PrivateAttr(None)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - ours reads them in one state
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings, env_settings, dotenv_settings, *named_sources(settings_cls))

    def __getstate__(self) -> dict[str, Any]:
        # What is sent to another process is as it is: nobody reads secrets anew there.
        return {**super().__getstate__(), "__pydantic_private__": {"_newest": None}}

    def latest(self) -> Self:
        """The settings with the secrets that are in force now: they change while a process runs."""
        return self if self._newest is None else self._newest()

    def followed_by(self, newest: Callable[[], Self]) -> Self:
        """These settings; whoever asks them for the latest gets what `newest` says."""
        same = self.model_copy()
        same._newest = newest  # noqa: SLF001 - of its own kind
        return same

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

    postgres_dsn: CheckedDsn = Field(
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

    redis_url: CheckedRedisUrl = Field(SecretStr("redis://127.0.0.1:6379/0"), description="Redis, as a URL")

    host: str = Field("127.0.0.1", description="Address on which the process listens")
    port: Annotated[int, Field(ge=0, le=65535)] = Field(
        8080, description="Port on which the process listens; 0 takes a free one"
    )
    port_file: str = Field("", description="File that receives the port on which the process listens, if set")
    log_level: str = Field("INFO", description="DEBUG, INFO, WARNING, ERROR or CRITICAL")

    cors_origins: str = Field(
        "", description="Origins whose pages may use the API, comma-separated; `*` in development only"
    )
    trusted_proxies: str = Field(
        "",
        description="Addresses and networks whose X-Forwarded-For and -Proto are believed, comma-separated",
    )
    allowed_hosts: str = Field("", description="Names that `Host` may have, comma-separated; none: any")
    max_connections: Annotated[int, Field(ge=1)] = Field(
        1_000, description="Connections of a process, beyond which it answers 503"
    )
    keep_alive_s: Annotated[int, Field(ge=1)] = Field(
        5, description="Seconds that a connection is kept open without a request"
    )
    max_target_bytes: Annotated[int, Field(ge=512)] = Field(
        8 * 1024, description="Longest path and query of a request"
    )
    max_headers: Annotated[int, Field(ge=16)] = Field(100, description="Headers of a request")
    max_header_bytes: Annotated[int, Field(ge=1024)] = Field(
        32 * 1024, description="Bytes of all headers of a request"
    )
    header_timeout_s: Annotated[float, Field(gt=0)] = Field(
        10.0, description="Seconds in which the head of a request has to come"
    )
    body_timeout_s: Annotated[float, Field(gt=0)] = Field(
        60.0, description="Seconds in which the body of a request has to come"
    )
    rate_limits: bool = Field(True, description="Whether requests are limited; `false` in development only")
    rate_redis_timeout_s: Annotated[float, Field(gt=0)] = Field(
        0.5, description="Seconds until Redis counts as away, and each process counts requests for itself"
    )
    rate_anonymous: Annotated[int, Field(ge=1)] = Field(
        600,
        description="Requests of an address without a good credential per minute: reads, and as many writes",
    )
    rate_login: Annotated[int, Field(ge=1)] = Field(
        60, description="Logins, registrations and tries of a password of an address per minute"
    )
    rate_login_account: Annotated[int, Field(ge=1)] = Field(
        10, description="Tries of one account's password of an address per minute"
    )
    rate_free_reads: Annotated[int, Field(ge=1)] = Field(
        3_000, description="Reads of a user of tier free per minute"
    )
    rate_free_writes: Annotated[int, Field(ge=500)] = Field(
        6_000, description="Commands of a user of tier free per minute"
    )
    rate_team_reads: Annotated[int, Field(ge=1)] = Field(
        12_000, description="Reads of a user of tier team per minute"
    )
    rate_team_writes: Annotated[int, Field(ge=500)] = Field(
        24_000, description="Commands of a user of tier team per minute"
    )
    rate_enterprise_reads: Annotated[int, Field(ge=1)] = Field(
        60_000, description="Reads of a user of tier enterprise per minute"
    )
    rate_enterprise_writes: Annotated[int, Field(ge=500)] = Field(
        120_000, description="Commands of a user of tier enterprise per minute"
    )
    rate_organization_factor: Annotated[int, Field(ge=1)] = Field(
        10, description="How many times a user's limits all users of an organization have together"
    )
    max_body_bytes: Annotated[int, Field(gt=0)] = Field(
        8 * 1024 * 1024, description="Largest request body that is read"
    )
    max_json_bytes: Annotated[int, Field(gt=0)] = Field(
        64 * 1024, description="Largest JSON body of a request that is not a command"
    )
    max_command_bytes: Annotated[int, Field(gt=0)] = Field(
        2 * 1024 * 1024, description="Largest single command"
    )
    max_batch: Annotated[int, Field(gt=0, le=500)] = Field(500, description="Commands in one request")
    max_upload_bytes: Annotated[int, Field(gt=0)] = Field(
        16 * 1024 * 1024, description="Largest uploaded file, uncompressed"
    )
    max_upload_ratio: Annotated[int, Field(ge=1)] = Field(
        100, description="Bytes that each compressed byte of an uploaded file may become"
    )
    max_upload_rows: Annotated[int, Field(gt=0)] = Field(10_000, description="Rows in one uploaded file")
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

    secrets_dir: str = Field("", description="Folder of mounted files, each named like a variable")
    secrets_reload_s: Annotated[float, Field(gt=0)] = Field(
        30.0, description="Seconds after which secrets are read anew; SIGHUP has them read at once"
    )
    secrets_timeout_s: Annotated[float, Field(gt=0)] = Field(
        5.0, description="Seconds to wait for Vault or AWS Secrets Manager"
    )
    vault_url: str = Field("", description="HashiCorp Vault, as a URL; none: it is not asked")
    vault_namespace: str = Field("", description="Vault's namespace, if it has any")
    vault_mount: str = Field("secret", description="Where Vault's KV engine is mounted")
    vault_path: str = Field("", description="Path of the secret in Vault's KV engine")
    vault_kv_version: Annotated[int, Field(ge=1, le=2)] = Field(
        2, description="Version of Vault's KV engine: 1 or 2"
    )
    vault_auth: str = Field("token", description="How to log in to Vault: token, kubernetes or approle")
    vault_auth_mount: str = Field("", description="Where that login is mounted; none: under its own name")
    vault_token: SecretStr = Field(SecretStr(""), description="Token for Vault, with the login `token`")
    vault_role: str = Field("", description="Role in Vault, with the login `kubernetes`")
    vault_jwt_file: str = Field(
        "/var/run/secrets/kubernetes.io/serviceaccount/token",
        description="File with the service account's token, with the login `kubernetes`",
    )
    vault_role_id: SecretStr = Field(SecretStr(""), description="Role id, with the login `approle`")
    vault_secret_id: SecretStr = Field(SecretStr(""), description="Secret id, with the login `approle`")
    aws_secret_id: str = Field(
        "", description="Name or ARN of a secret in AWS Secrets Manager; none: it is not asked"
    )
    aws_region: str = Field("", description="AWS region; none: what boto3 finds")
    aws_endpoint_url: str = Field("", description="AWS Secrets Manager's own address, where it is not AWS's")
