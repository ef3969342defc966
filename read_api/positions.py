"""Where a team's log stands in the projection, and what a client's cursor means against that."""

from collections.abc import Collection
from dataclasses import dataclass, replace

from asyncpg import Record

from events.cursor import BadCursor, Cursor, parse_cursor
from read_api.database import Database
from read_api.problems import bad_cursor, cursor_of_another_team, log_changed

LOG = """
SELECT team_id::text, log_id::text, last_sequence
  FROM projected_logs WHERE projection = 'library'
"""
"""The logs that the read models show. One more condition picks the teams."""

POSITIONS = LOG + " AND team_id = ANY ($1::uuid[])"


@dataclass(frozen=True, kw_only=True, slots=True)
class Position:
    """How far the read models have come in a team's log."""

    log_id: str
    team_id: str
    sequence: int

    @property
    def point(self) -> Cursor:
        """It as a point of the log."""
        return Cursor(log_id=self.log_id, team_id=self.team_id, sequence=self.sequence)

    def cursor_at(self, sequence: int) -> str:
        """The cursor of a client that has seen everything up to a sequence."""
        return str(replace(self.point, sequence=sequence))

    @property
    def cursor(self) -> str:
        """The cursor of a client that has seen what the read models show."""
        return self.cursor_at(self.sequence)


def position_of(row: Record) -> Position:
    """The position in a row that begins with the columns of `LOG`."""
    team_id, log_id, sequence = row[0], row[1], row[2]
    return Position(log_id=log_id, team_id=team_id, sequence=sequence)


async def positions(database: Database, teams: Collection[str]) -> dict[str, Position]:
    """The positions of those teams that have one."""
    return {row[0]: position_of(row) for row in await database.rows(POSITIONS, list(teams))}


def read_cursor(text: str | None, team_id: str) -> Cursor | None:
    """A cursor from a parameter that may be left out; raise `Problem` as `parsed_cursor` does."""
    return None if text is None else parsed_cursor(text, team_id)


def parsed_cursor(text: str, team_id: str) -> Cursor:
    """A client's cursor; raise `Problem` 400 `bad_cursor` or `cursor_of_another_team`."""
    try:
        cursor = parse_cursor(text)
    except BadCursor as error:
        raise bad_cursor(str(error)) from None
    if cursor.team_id != team_id:
        raise cursor_of_another_team()
    return cursor


def check_log(cursor: Cursor, log_id: str) -> None:
    """Raise `Problem` 410 `log_changed` for a cursor of another log."""
    if cursor.log_id != log_id:
        raise log_changed(cursor.team_id)
