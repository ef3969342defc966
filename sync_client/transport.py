"""The port to the server; every call is safe to repeat."""

from collections.abc import Sequence
from typing import Protocol

from events.json_text import Json
from sync_client.audit_wire import ServerKeys
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

    async def tree_head(self) -> str | None:
        """The newest signed head of the log's tree; None if the server shows none."""
        ...

    async def consistency(self, old: int, new: int) -> list[bytes] | None:
        """The proof that the tree of one size begins with that of another; None if the server refuses it."""
        ...

    async def server_keys(self) -> ServerKeys:
        """The keys by which the server signs, as it says; none from one that knows of no tree heads."""
        ...
