"""Where the pure core meets the tables: a pattern with its commands is loaded, merged and written back."""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, replace

from events.json_text import Json, dump
from events.pattern import NoPattern, Pattern, name_key
from sync_client.confirmed import Confirmed
from sync_client.local_pattern import Entry, LocalPattern, MergeResult, Payload, Pulled, Rebuilt, Stage
from sync_client.merge import merge
from sync_client.outbox import Outbox


@dataclass(frozen=True, kw_only=True, slots=True)
class Origin:
    """Where news comes from: its sequence; and for an answer, the command's position, how and when."""

    sequence: int | None = None
    position: int | None = None
    outcome: Mapping[str, Json] | None = None
    at: str | None = None


class LocalStore:
    """Patterns with commands. Nothing here begins or commits a transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.confirmed = Confirmed(connection)
        self.outbox = Outbox(connection)

    def load(self, pattern_id: str) -> LocalPattern:
        """A pattern and its commands; the view is only made by a merge."""
        confirmed = self.confirmed.load(pattern_id)
        return LocalPattern(confirmed=confirmed, entries=self.outbox.entries(pattern_id), view=confirmed)

    def merge(self, pattern_id: str, payload: Payload, origin: Origin) -> MergeResult:
        """Merge news into a pattern, and write all that follows from it."""
        old = self.load(pattern_id)
        result = merge(old, payload, self._holders(pattern_id))
        self._write(pattern_id, old, result.state, origin)
        return result

    def refresh(self, pattern_id: str) -> LocalPattern:
        """A pattern with its commands replayed: nothing new is known, but names may have been taken."""
        old = self.load(pattern_id)
        if not old.entries:
            return old
        return self.merge(pattern_id, Pulled(confirmed=old.confirmed), Origin()).state

    def change_confirmed(self, *, another_log: bool) -> None:
        """Put the confirmed state that was filled in place of the old one, under what is pending."""
        olds = {pattern_id: self.load(pattern_id) for pattern_id in self.outbox.patterns_with_commands()}
        self.confirmed.put_filling_in_place()
        for pattern_id, old in olds.items():
            new = self.confirmed.load(pattern_id)
            payload = Rebuilt(confirmed=new) if another_log else Pulled(confirmed=new)
            state = merge(old, payload, self._holders(pattern_id)).state
            self.confirmed.store(pattern_id, state.confirmed, self.confirmed.sequence_of(pattern_id))
            self._write(pattern_id, replace(old, confirmed=state.confirmed), state, Origin())

    def write_view(self, pattern_id: str, state: LocalPattern) -> None:
        """Write what the user sees, if it is not the confirmed state itself."""
        view = state.view
        if view.version == state.confirmed.version or isinstance(view, NoPattern):
            self._connection.execute("DELETE FROM overlay WHERE pattern_id = ?", (pattern_id,))
            return
        row: tuple[str | None, ...] = ("deleted", None, None, None)
        if isinstance(view, Pattern):
            row = (view.status, view.name, name_key(view.name), dump(view.fields).decode())
        self._connection.execute(
            "REPLACE INTO overlay (pattern_id, version, status, name, name_key, fields)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (pattern_id, view.version, *row),
        )

    def _holders(self, pattern_id: str) -> dict[str, str]:
        return self.confirmed.holders(self.outbox.names_of(pattern_id), but=pattern_id)

    def _write(self, pattern_id: str, old: LocalPattern, new: LocalPattern, origin: Origin) -> None:
        if new.confirmed is not old.confirmed:
            moved = new.confirmed.version != old.confirmed.version
            sequence = origin.sequence if moved else None
            self.confirmed.store(
                pattern_id, new.confirmed, sequence or self.confirmed.sequence_of(pattern_id)
            )
        for before, after in zip(old.entries, new.entries, strict=True):
            if after is not before:
                self._write_entry(before, after, origin)
        self.write_view(pattern_id, new)

    def _write_entry(self, before: Entry, after: Entry, origin: Origin) -> None:
        outcome, at = None, None
        answered = after.position == origin.position and after.stage is not Stage.PENDING
        if answered and origin.outcome is not None:
            outcome, at = origin.outcome, origin.at
        elif after.verdict is not None and after.verdict is not before.verdict:
            outcome = {"code": after.verdict.code, "detail": after.verdict.detail, "predicted": True}
        self.outbox.update(after, outcome, at)
