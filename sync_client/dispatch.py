"""What may be sent, in which order, and on which base.

Commands go out in the order in which they were made. One that has to wait holds up those after it on its
pattern, and those that name a name that it takes or gives up, and no others. What builds on an edit goes in
the same batch, or when the edit was answered: while its fate is unknown, the server may not know its id.
"""

import sqlite3
from collections.abc import Callable, Container, Iterable, Mapping, Set
from dataclasses import dataclass
from typing import NamedTuple

from command_api.decisions.commands import Command
from events.json_text import Json, parse
from sync_client.line import BASED, WRITING
from sync_client.outbox import command_of

_SENDABLE = """
SELECT position, pattern_id, command, after, command_id, base_command FROM outbox
WHERE state = 'sent' OR (state = 'pending' AND position NOT IN held) ORDER BY position
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Outgoing:
    """A command that is on its way, under the id, and on the base, that it has for ever."""

    position: int
    pattern_id: str
    text: str
    command_id: str
    base_command: str | None

    def body(self) -> dict[str, Json]:
        """The command as it goes over the wire."""
        command: dict[str, Json] = parse(self.text.encode(), max_depth=64)
        if self.base_command is not None:
            command.pop("base_version", None)
            command["base_command"] = self.base_command
        return {"command_id": self.command_id, **command}


class _Row(NamedTuple):
    position: int
    pattern_id: str
    text: str
    after: int | None
    command_id: str | None
    base_command: str | None


class _Below(NamedTuple):
    """A command that another builds on."""

    command: Command
    state: str
    after: int | None
    command_id: str | None


class Dispatch:
    """Takes commands from the outbox; the caller has a transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def take(
        self, limit: int, max_bytes: int, exclude: Iterable[int], new_id: Callable[[], str]
    ) -> list[Outgoing]:
        """Mark the next batch as sent; what is sent for the first time is given its id and its base."""
        batch: dict[int, Outgoing] = {}
        for row in self._sendable(limit, max_bytes, set(exclude)):
            command_id, base = row.command_id, row.base_command
            if command_id is None:
                command_id, base = new_id(), self._base_of(row, batch)
                self._connection.execute(
                    "UPDATE outbox SET state = 'sent', command_id = ?, base_command = ? WHERE position = ?",
                    (command_id, base, row.position),
                )
            batch[row.position] = Outgoing(
                position=row.position,
                pattern_id=row.pattern_id,
                text=row.text,
                command_id=command_id,
                base_command=base,
            )
        return list(batch.values())

    def _sendable(self, limit: int, max_bytes: int, exclude: Set[int]) -> list[_Row]:
        batch: dict[int, _Row] = {}
        size, awaited, patterns = 0, set[str](), set[str]()
        for values in self._connection.execute(_SENDABLE):
            row = _Row(*values)
            names = self._names(row.position)
            waits = row.position in exclude or row.pattern_id in patterns or not awaited.isdisjoint(names)
            if waits or not self._may_go(row, batch):
                awaited |= names
                patterns.add(row.pattern_id)
                continue
            size += len(row.text)
            if len(batch) == limit or (batch and size > max_bytes):
                break
            batch[row.position] = row
        return list(batch.values())

    def _may_go(self, row: _Row, batch: Container[int]) -> bool:
        """Whether a command waits for none that it builds on, or the server hears of that one first."""
        if row.after is None or row.command_id is not None:
            return True
        below = self._below(row.after)
        if isinstance(below.command, WRITING) and isinstance(command_of(row.text), BASED):
            return row.after in batch or below.state in ("accepted", "done")
        return below.state == "done"

    def _base_of(self, row: _Row, batch: Mapping[int, Outgoing]) -> str | None:
        """The id of the nearest command below that wrote fields: the base under all that was seen."""
        position = row.after
        if position is None or not isinstance(command_of(row.text), BASED):
            return None
        while position is not None:
            below = self._below(position)
            if isinstance(below.command, WRITING):
                return batch[position].command_id if position in batch else below.command_id
            position = below.after
        return None

    def _below(self, position: int) -> _Below:
        text, state, after, command_id = self._connection.execute(
            "SELECT command, state, after, command_id FROM outbox WHERE position = ?", (position,)
        ).fetchone()
        return _Below(command_of(text), state, after, command_id)

    def _names(self, position: int) -> set[str]:
        statement = "SELECT name_key FROM outbox_names WHERE position = ?"
        return {row[0] for row in self._connection.execute(statement, (position,))}
