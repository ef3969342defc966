"""Secrets that are looked at when they are read, so that a broken one is told before it is used."""

# ruff: noqa: PLC0415 - the command line reads settings, and shall not wait for what it does not use

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, SecretStr

_REDIS = ("redis", "rediss", "unix")


def _is_dsn(secret: SecretStr) -> SecretStr:
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        is_good = make_url(secret.get_secret_value()).get_backend_name() in {"postgresql", "postgres"}
    except (ArgumentError, ValueError):
        is_good = False
    if not is_good:
        raise ValueError("a URL with postgresql:// is needed")
    return secret


def _is_redis_url(secret: SecretStr) -> SecretStr:
    try:
        parts = urlsplit(secret.get_secret_value())
        is_good = parts.scheme in _REDIS and (parts.port or 1) > 0
    except ValueError:
        is_good = False
    if not is_good:
        raise ValueError("a URL with redis://, rediss:// or unix:// is needed")
    return secret


CheckedDsn = Annotated[SecretStr, AfterValidator(_is_dsn)]
"""Postgres, as a URL."""
CheckedRedisUrl = Annotated[SecretStr, AfterValidator(_is_redis_url)]
"""Redis, as a URL."""
