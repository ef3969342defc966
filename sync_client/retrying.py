"""A transport that tries again what may succeed: exponential backoff with jitter, within bounds."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import stamina

from events.json_text import Json
from sync_client.audit_wire import ServerKeys
from sync_client.errors import TryLater
from sync_client.transport import Transport
from sync_client.wire import Answer, ChangesPage

_Result = TypeVar("_Result")


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long to go on, times in seconds. A `Retry-After` beyond `longest_wait` ends it at once."""

    attempts: int = 6
    timeout: float = 60.0
    first_wait: float = 0.2
    longest_wait: float = 10.0
    jitter: float = 0.5


async def patiently(
    patience: Patience, call: Callable[[], Awaitable[_Result]], on: type[TryLater] = TryLater
) -> _Result:
    """The call's result, after as many tries as it takes; raise its last error when patience ends."""

    def again(error: Exception) -> bool | float:
        if not isinstance(error, on):
            return False
        if error.retry_after is None:
            return True
        return error.retry_after if error.retry_after <= patience.longest_wait else False

    caller = stamina.AsyncRetryingCaller(
        attempts=patience.attempts,
        timeout=patience.timeout,
        wait_initial=patience.first_wait,
        wait_max=patience.longest_wait,
        wait_jitter=patience.jitter,
    )
    return await caller(again, call)


class RetryingTransport:
    """Every call of the port is safe to repeat, so each is, as long as the failure may pass."""

    def __init__(self, transport: Transport, patience: Patience) -> None:
        self._transport = transport
        self._patience = patience

    async def send(self, commands: Sequence[dict[str, Json]]) -> list[Answer]:
        return await patiently(self._patience, lambda: self._transport.send(commands))

    async def look_up(self, command_id: str) -> Answer | None:
        return await patiently(self._patience, lambda: self._transport.look_up(command_id))

    async def changes(self, cursor: str | None, *, at_least: str | None, limit: int) -> ChangesPage:
        return await patiently(
            self._patience, lambda: self._transport.changes(cursor, at_least=at_least, limit=limit)
        )

    async def tree_head(self) -> str | None:
        return await patiently(self._patience, self._transport.tree_head)

    async def consistency(self, old: int, new: int) -> list[bytes] | None:
        return await patiently(self._patience, lambda: self._transport.consistency(old, new))

    async def server_keys(self) -> ServerKeys:
        return await patiently(self._patience, self._transport.server_keys)
