"""One command line call that talks to the server."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import stamina.instrumentation
from stamina.instrumentation import RetryDetails

from sync_client.client import SyncClient
from sync_client.console import warn, watching
from sync_client.errors import SyncError
from sync_client.http_transport import Endpoint, http_transport
from sync_client.replica import Replica
from sync_client.retrying import Patience, RetryingTransport
from sync_client.surroundings import Surroundings

_Result = TypeVar("_Result")


def run(replica: Replica, endpoint: Endpoint, work: Callable[[SyncClient], Awaitable[_Result]]) -> _Result:
    """Run work with a client, and show how far it has come."""
    stamina.instrumentation.set_on_retry_hooks([_say_retry])
    with watching() as progress:
        return asyncio.run(_run(replica, endpoint, work, Surroundings(progress=progress)))


def check(endpoint: Endpoint) -> None:
    """Ask the server for the team's first change; raise a `TransportError` if it will not serve it."""

    async def ask() -> None:
        async with http_transport(endpoint) as transport:
            await RetryingTransport(transport, Patience()).changes(None, at_least=None, limit=1)

    asyncio.run(ask())


async def _run(
    replica: Replica,
    endpoint: Endpoint,
    work: Callable[[SyncClient], Awaitable[_Result]],
    surroundings: Surroundings,
) -> _Result:
    async with http_transport(endpoint) as transport:
        return await work(SyncClient(replica, transport, surroundings))


def _say_retry(details: RetryDetails) -> None:
    cause = details.caused_by
    reason = cause.message if isinstance(cause, SyncError) else repr(cause)
    warn(f"{reason}; trying again in {details.wait_for:.1f} s")
