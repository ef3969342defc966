"""Proxies that are believed when they say for whom they ask."""

import ipaddress

from fastapi import FastAPI
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from runtime.settings import Settings
from runtime.startup_failures import Misconfigured


def add_proxies(app: FastAPI, settings: Settings) -> None:
    """Take `X-Forwarded-For` and `X-Forwarded-Proto` from the trusted proxies, and from nobody else.

    The client is the right-most address that is no trusted proxy's: what stands left of it anyone may write.
    """
    if proxies := trusted_proxies(settings):
        app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=proxies)


def trusted_proxies(settings: Settings) -> list[str]:
    """The addresses and networks that the settings name; raise `Misconfigured` for anything else.

    Uvicorn would take what is no address for a name, and `*` would believe everybody.
    """
    proxies = [proxy.strip() for proxy in settings.trusted_proxies.split(",") if proxy.strip()]
    for proxy in proxies:
        try:
            ipaddress.ip_network(proxy)
        except ValueError as error:
            raise Misconfigured(f"PATTERNLOG_TRUSTED_PROXIES: {error}") from None
    return proxies
