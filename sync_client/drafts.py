"""Drafts: commands that cannot be applied, kept with the reason until their user drops them."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass

from events.json_text import Json, parse
from events.pattern import NoPattern, Pattern
from sync_client.confirmed import Confirmed
from sync_client.errors import LocalRefusal
from sync_client.local_store import LocalStore
from sync_client.outbox import TEAM

_DRAFTS = """
SELECT position, pattern_id, command, command_id, state, outcome, made_at,
       (SELECT count(*) FROM outbox AS other WHERE other.after = outbox.position)
FROM outbox WHERE state IN ('conflict', 'refused') ORDER BY position
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Draft:
    """A command that became a draft. `number` names it here; `mine` and `theirs` are the fields it edits."""

    number: int
    pattern_id: str
    name: str
    command_type: str
    command_id: str | None
    kind: str
    code: str
    detail: str
    made_at: str
    mine: dict[str, Json]
    theirs: dict[str, Json]
    holds_up: int


class Drafts:
    """The drafts of one replica."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._confirmed = Confirmed(connection)

    def all(self) -> Iterator[Draft]:
        """Every draft, oldest first."""
        for row in self._connection.execute(_DRAFTS).fetchall():
            yield self._draft(*row)

    def drop(self, number: int) -> None:
        """Forget a draft, as its user wishes; the caller has a transaction. What built on it may go on."""
        row = self._connection.execute(
            "SELECT pattern_id FROM outbox WHERE position = ? AND state IN ('conflict', 'refused')", (number,)
        ).fetchone()
        if row is None:
            raise LocalRefusal("unknown_draft", f"there is no draft {number}: see patternlog conflicts")
        self._connection.execute("UPDATE outbox SET after = NULL WHERE after = ?", (number,))
        self._connection.execute("DELETE FROM outbox_names WHERE position = ?", (number,))
        self._connection.execute("DELETE FROM outbox WHERE position = ?", (number,))
        if row[0] != TEAM:
            LocalStore(self._connection).refresh(row[0])

    def _draft(  # noqa: PLR0913, PLR0917 - the columns of one row
        self,
        number: int,
        pattern_id: str,
        command: str,
        command_id: str | None,
        kind: str,
        outcome: str,
        made_at: str,
        holds_up: int,
    ) -> Draft:
        body, verdict = parse(command.encode(), max_depth=64), parse(outcome.encode(), max_depth=64)
        state = self._confirmed.load(pattern_id) if pattern_id != TEAM else NoPattern()
        theirs = state.fields if isinstance(state, Pattern) else {}
        mine = {**body.get("fields", {}), **body.get("set", {}), **dict.fromkeys(body.get("remove", []))}
        name = mine.get("name") or theirs.get("name") or body.get("name", "")
        return Draft(
            number=number,
            pattern_id=pattern_id,
            name=str(theirs.get("name", name)),
            command_type=body["type"],
            command_id=command_id,
            kind=kind,
            code=verdict["code"],
            detail=verdict["detail"],
            made_at=made_at,
            mine=mine,
            theirs={field: theirs[field] for field in mine if field in theirs},
            holds_up=holds_up,
        )
