"""Clients of Redis whose new connections use the password that is in force."""

from typing import Any
from urllib.parse import unquote, urlsplit

from redis.asyncio import Redis
from redis.credentials import CredentialProvider

from runtime.settings import Settings


class _Current(CredentialProvider):
    """User and password of the latest `redis_url`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def get_credentials(self) -> tuple[str] | tuple[str, str]:
        url = urlsplit(self._settings.latest().redis_url.get_secret_value())
        user, password = unquote(url.username or ""), unquote(url.password or "")
        return (user, password) if user else (password,)

    async def get_credentials_async(self) -> tuple[str] | tuple[str, str]:
        return self.get_credentials()


def create_redis(settings: Settings, **options: Any) -> Redis:
    """A client; nothing is connected before its first use.

    Where Redis is, and whether it asks for a password at all, is as it was at the start.
    """
    url = urlsplit(settings.redis_url.get_secret_value())
    if url.username or url.password:
        options["credential_provider"] = _Current(settings)
    place = url._replace(netloc=url.netloc.rpartition("@")[2])
    return Redis.from_url(place.geturl(), **options)
