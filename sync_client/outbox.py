"""The outbox: commands in the order in which they were made, kept until they are part of the library."""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from command_api.decisions.commands import Command, PatternCommand, command_from, to_json
from events.json_text import Json, dump, parse
from sync_client.local_pattern import Entry, Stage, Verdict

TEAM = ""
"""In place of a pattern's id, for the team's own commands."""

NO_ID = "00000000-0000-7000-8000-000000000000"
"""Stands for the id of a command that was never sent."""


@dataclass(frozen=True, kw_only=True, slots=True)
class NewCommand:
    """A command to keep, as `text_of` writes it; `names` are the name keys that it takes or gives up."""

    pattern_id: str
    text: str
    after: int | None
    names: Iterable[str] = ()
    resolves: int | None = None
    hidden: bool = False


_ENTRY = """
SELECT position, command, state, after, version, outcome, base_command, resolves, hidden FROM outbox
WHERE pattern_id = ?1 AND state <> 'done'
"""

_DONE_BELOW = """
SELECT below.position, below.command, below.state, below.after, below.version, below.outcome,
       below.base_command, below.resolves, below.hidden
FROM outbox JOIN outbox AS below ON below.position IN (outbox.after, outbox.resolves)
WHERE outbox.pattern_id = ?1 AND outbox.state <> 'done' AND below.pattern_id = ?1 AND below.state = 'done'
"""

_FORGOTTEN = """
WITH RECURSIVE needed (position) AS (
    SELECT position FROM outbox WHERE state <> 'done'
    UNION
    SELECT below.position FROM needed JOIN outbox USING (position)
    JOIN outbox AS below ON below.position IN (outbox.after, outbox.resolves)
)
SELECT position FROM outbox WHERE state = 'done' AND answered_at < ? AND position NOT IN needed
"""


class Outbox:
    """The outbox's rows. Nothing here begins or commits a transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def add(self, command: NewCommand, made_at: str) -> int:
        """Keep a command; its position."""
        cursor = self._connection.execute(
            "INSERT INTO outbox (pattern_id, after, command, state, made_at, resolves, hidden)"
            " VALUES (?, ?, ?, 'pending', ?, ?, ?)",
            (command.pattern_id, command.after, command.text, made_at, command.resolves, command.hidden),
        )
        position = cursor.lastrowid or 0
        self._connection.executemany(
            "INSERT OR IGNORE INTO outbox_names (position, name_key) VALUES (?, ?)",
            [(position, name) for name in command.names],
        )
        return position

    def entries(self, pattern_id: str) -> tuple[Entry, ...]:
        """What is kept of a pattern's commands, but for what is done and nothing stands on."""
        rows = self._connection.execute(f"{_ENTRY} UNION {_DONE_BELOW} ORDER BY position", (pattern_id,))
        return tuple(_entry(*row) for row in rows)

    def update(self, entry: Entry, outcome: Mapping[str, Json] | None, answered_at: str | None) -> None:
        """Write what a merge changed of an entry; an outcome that is not given stays as it is.

        What is pending, again or still, has no id: its body may change.
        """
        self._connection.execute(
            "UPDATE outbox SET command = ?1, state = ?2, after = ?3, version = ?4, hidden = ?5,"
            " base_command = ?6, command_id = CASE ?2 WHEN 'pending' THEN NULL ELSE command_id END,"
            " outcome = coalesce(?7, outcome), answered_at = coalesce(?8, answered_at) WHERE position = ?9",
            (
                text_of(entry.command),
                entry.stage,
                entry.after,
                entry.version,
                entry.hidden,
                entry.base_command,
                None if outcome is None else dump(outcome).decode(),
                answered_at,
                entry.position,
            ),
        )

    def awaiting_pull(self) -> bool:
        """Whether a command waits for one that was accepted, and only a pull can tell how."""
        row = self._connection.execute(
            "SELECT 1 FROM outbox JOIN outbox AS base ON base.position = outbox.after"
            " WHERE base.state = 'accepted' AND outbox.state = 'pending' LIMIT 1"
        ).fetchone()
        return row is not None

    def close_team_command(self, position: int, stage: Stage, outcome: Mapping[str, Json], at: str) -> None:
        """Note what became of the team's own command; when it is done, nothing waits for it any more."""
        self._connection.execute(
            "UPDATE outbox SET state = ?, outcome = ?, answered_at = ? WHERE position = ?",
            (stage, dump(outcome).decode(), at, position),
        )
        if stage is Stage.DONE:
            self._connection.execute("UPDATE outbox SET after = NULL WHERE after = ?", (position,))

    def team_creation(self) -> int | None:
        """The team's creation, if it waits here: until it is sent, the server has nothing to pull."""
        (position,) = self._connection.execute(
            "SELECT max(position) FROM outbox WHERE pattern_id = ? AND state IN ('pending', 'sent')", (TEAM,)
        ).fetchone()
        return None if position is None else int(position)

    def patterns_with_commands(self) -> list[str]:
        """The patterns of which commands are kept."""
        rows = self._connection.execute(
            "SELECT DISTINCT pattern_id FROM outbox WHERE state <> 'done' AND pattern_id <> ''"
        )
        return [row[0] for row in rows]

    def patterns_naming(self, names: Sequence[str]) -> set[str]:
        """The patterns with a waiting command that takes or gives up one of the names."""
        statement = (
            "SELECT DISTINCT outbox.pattern_id FROM outbox_names JOIN outbox USING (position)"
            " WHERE name_key = ? AND state IN ('pending', 'sent', 'accepted')"
        )
        return {row[0] for name in names for row in self._connection.execute(statement, (name,))}

    def names_of(self, pattern_id: str) -> list[str]:
        """The names that the waiting commands on a pattern take or give up."""
        rows = self._connection.execute(
            "SELECT DISTINCT name_key FROM outbox JOIN outbox_names USING (position)"
            " WHERE pattern_id = ? AND state IN ('pending', 'sent', 'accepted')",
            (pattern_id,),
        )
        return [row[0] for row in rows]

    def count_drafts(self) -> int:
        """How many commands wait for their user."""
        statement = "SELECT count(*) FROM outbox WHERE state IN ('conflict', 'refused')"
        return int(self._connection.execute(statement).fetchone()[0])

    def count_sendable(self) -> int:
        """How many commands a push can send, if nothing turns out to hold them up."""
        counts = self.counts()
        return counts[Stage.PENDING] + counts[Stage.SENT]

    def counts(self) -> dict[str, int]:
        """How many commands are in each state; `held` are pending, behind drafts."""
        counted = dict(
            self._connection.execute("SELECT state, count(*) FROM outbox GROUP BY state").fetchall()
        )
        (held,) = self._connection.execute(
            "SELECT count(*) FROM outbox WHERE state = 'pending' AND position IN held"
        ).fetchone()
        states = {stage.value: counted.get(stage.value, 0) for stage in Stage}
        return {**states, "pending": states["pending"] - held, "held": held}

    def forget_done(self, before: str) -> None:
        """Remove commands that were answered before a time, are part of the library, and bear no others."""
        old = self._connection.execute(_FORGOTTEN, (before,)).fetchall()
        self._connection.executemany("DELETE FROM outbox_names WHERE position = ?", old)
        self._connection.executemany("DELETE FROM outbox WHERE position = ?", old)


def text_of(command: Command) -> str:
    """A command's JSON text without its id."""
    body = to_json(command)
    body.pop("command_id", None)
    return dump(body).decode()


def command_of(text: str) -> Command:
    """The command of a text in the outbox, with a stand-in for its id."""
    return command_from({"command_id": NO_ID, **parse(text.encode(), max_depth=64)})


def _entry(  # noqa: PLR0913, PLR0917 - the columns of one row
    position: int,
    text: str,
    state: str,
    after: int | None,
    version: int | None,
    outcome: str | None,
    base_command: str | None,
    resolves: int | None,
    hidden: int,
) -> Entry:
    stage, command = Stage(state), command_of(text)
    if not isinstance(command, PatternCommand):
        raise TypeError(f"{command.type} is no pattern's command")
    verdict = None
    if stage in (Stage.CONFLICT, Stage.REFUSED) and outcome is not None:
        body = parse(outcome.encode(), max_depth=64)
        verdict = Verdict(code=body["code"], detail=body["detail"])
    return Entry(
        position=position,
        command=command,
        stage=stage,
        after=after,
        version=version,
        verdict=verdict,
        base_command=base_command,
        resolves=resolves,
        hidden=bool(hidden),
    )
