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
       (SELECT count(*) FROM outbox AS other WHERE other.after = outbox.position),
       EXISTS (SELECT 1 FROM outbox AS other WHERE other.resolves = outbox.position
               AND other.state IN ('pending', 'sent', 'accepted'))
FROM outbox WHERE state IN ('conflict', 'refused') AND (?1 IS NULL OR position = ?1) ORDER BY position
"""

Row = tuple[int, str, str, str | None, str, str, str, int, int]


@dataclass(frozen=True, kw_only=True, slots=True)
class Draft:
    """A command that became a draft. `number` names it here; `mine` and `theirs` are the fields it edits."""

    number: int
    pattern_id: str
    name: str
    command_type: str
    command_id: str | None
    conflict_id: str | None
    kind: str
    code: str
    detail: str
    made_at: str
    mine: dict[str, Json]
    theirs: dict[str, Json]
    holds_up: int
    being_resolved: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenConflict:
    """A draft that the server noted as a conflict of these fields, when the pattern was at this version."""

    pattern_id: str
    conflict_id: str
    current_version: int
    clashes: frozenset[str]


class Drafts:
    """The drafts of one replica."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._confirmed = Confirmed(connection)

    def all(self) -> Iterator[Draft]:
        """Every draft, oldest first."""
        for row in self._connection.execute(_DRAFTS, (None,)).fetchall():
            yield self._draft(row)

    def open_conflict(self, number: int) -> OpenConflict:
        """The conflict of a draft that can be brought to an end; raise `LocalRefusal` for any other."""
        _, pattern_id, _, _, state, outcome, *_ = self._row(number)
        conflict = parse(outcome.encode(), max_depth=64).get("conflict")
        if state != "conflict" or conflict is None or "conflict_id" not in conflict:
            detail = f"draft {number} is no conflict in the library: make the edit again, and drop the draft"
            raise LocalRefusal("no_conflict", detail)
        return OpenConflict(
            pattern_id=pattern_id,
            conflict_id=conflict["conflict_id"],
            current_version=conflict["current_version"],
            clashes=frozenset(conflict["fields"]),
        )

    def drop(self, number: int) -> None:
        """Forget a draft, as its user wishes; the caller has a transaction.

        What built on it may go on from below it: that much of what its author saw was there.
        """
        pattern_id = self._row(number)[1]
        self._connection.execute(
            "UPDATE outbox SET after = (SELECT after FROM outbox WHERE position = ?1) WHERE after = ?1",
            (number,),
        )
        self._connection.execute("DELETE FROM outbox_names WHERE position = ?", (number,))
        self._connection.execute("DELETE FROM outbox WHERE position = ?", (number,))
        if pattern_id != TEAM:
            LocalStore(self._connection).refresh(pattern_id)

    def _row(self, number: int) -> Row:
        """A draft that nothing is under way for; raise `LocalRefusal`."""
        row: Row | None = self._connection.execute(_DRAFTS, (number,)).fetchone()
        if row is None:
            raise LocalRefusal("unknown_draft", f"there is no draft {number}: see patternlog conflicts")
        if row[-1]:
            raise LocalRefusal("being_resolved", f"draft {number} is being resolved: patternlog push")
        return row

    def _draft(self, row: Row) -> Draft:
        number, pattern_id, command, command_id, kind, outcome, made_at, holds_up, being_resolved = row
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
            conflict_id=body.get("conflict_id") or verdict.get("conflict", {}).get("conflict_id"),
            kind=kind,
            code=verdict["code"],
            detail=verdict["detail"],
            made_at=made_at,
            mine=mine,
            theirs={field: theirs[field] for field in mine if field in theirs},
            holds_up=holds_up,
            being_resolved=bool(being_resolved),
        )
