"""The port to the server: three calls, each safe to repeat."""

from collections.abc import Sequence
from typing import Protocol

from events.json_text import Json
from sync_client.wire import Answer, ChangesPage


class Transport(Protocol):
    """One team on one server. Every call raises a `TransportError` when nothing is settled."""

    async def send(self, commands: Sequence[dict[str, Json]]) -> list[Answer]:
        """Submit 1 to 500 commands and wait a while; one answer each. The same id is applied once."""
        ...

    async def look_up(self, command_id: str) -> Answer | None:
        """What became of a command; None if the server does not know it, which proves nothing."""
        ...

    async def changes(self, cursor: str | None, *, at_least: str | None, limit: int) -> ChangesPage:
        """What changed since a cursor, from nothing without one; not before `at_least` can be seen."""
        ...
