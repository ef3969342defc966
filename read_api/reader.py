"""What the routes share: the database, waiting for a cursor, and answers from ready-made JSON."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from hashlib import blake2b
from time import monotonic
from typing import Annotated

from fastapi import Depends, Request
from starlette.responses import Response

from events.cursor import Cursor
from read_api.database import Database
from read_api.etags import is_current, not_modified, weak
from read_api.pages import Page, read_page
from read_api.paging import points_of
from read_api.parameters import PastReading, Reading
from read_api.points import AT, is_named_by_time, read_time
from read_api.positions import Position, check_log, parsed_cursor, position_of, positions, read_cursor
from read_api.problems import not_yet_visible, unknown_team
from read_api.rights import check_still_allowed
from read_api.roles import Roles
from read_api.waiting import Visibility
from runtime.authentication import FRESH_S
from runtime.problems import Problem


class ReadService:
    """Reads the read models; one per process."""

    def __init__(self, database: Database, log_id: str) -> None:
        self.database = database
        self.log_id = log_id
        self.visibility = Visibility(self.positions, log_id)
        self.roles = Roles(database)

    async def positions(self, teams: Collection[str]) -> Mapping[str, Position]:
        """Where the teams' logs stand."""
        return await positions(self.database, teams)


@dataclass(frozen=True, slots=True)
class Reader:
    """One request's view of the service."""

    service: ReadService
    request: Request

    @property
    def database(self) -> Database:
        """Where to read."""
        return self.service.database

    async def wait(self, team_id: str, reading: Reading) -> None:
        """Wait until what the request asks to see is visible; raise `Problem`."""
        cursor = read_cursor(reading.at_least, team_id)
        if cursor is not None:
            await self._see(cursor, reading.timeout)

    async def position(self, team_id: str, reading: Reading) -> Position:
        """Where a team's log stands, once what the request asks to see is visible; raise `Problem`."""
        await self.wait(team_id, reading)
        position = (await self.service.positions([team_id])).get(team_id)
        if position is None:
            raise unknown_team(team_id)
        return position

    async def look_back(self, team_id: str, query: PastReading, page: str | None = None) -> Cursor | None:
        """Wait for what the request asks to see; the point of the past that it asks for, if it does."""
        await self.wait(team_id, query)
        text = next(iter(points_of(page)), query.as_of)
        return None if text is None else await self.point(team_id, "as_of", text, query.timeout)

    async def point(self, team_id: str, name: str, text: str | None, timeout_s: float) -> Cursor:
        """The point that a parameter names, which may have to become visible first; None: the present."""
        if text is None:
            return await self._present(team_id)
        if is_named_by_time(text):
            row = await self.database.row(AT, team_id, read_time(name, text))
            if row is None:
                raise unknown_team(team_id)
            return replace(position_of(row).point, sequence=row["sequence"])
        point = parsed_cursor(text, team_id)
        await self._see(point, timeout_s)
        return point

    async def _see(self, cursor: Cursor, timeout_s: float) -> None:
        """Wait for a cursor; who has lost the right meanwhile is not to see what came."""
        began = monotonic()
        await self.service.visibility.wait(cursor, timeout_s)
        if monotonic() - began > FRESH_S:
            await check_still_allowed(self.request)

    async def _present(self, team_id: str) -> Cursor:
        position = (await self.service.positions([team_id])).get(team_id)
        if position is None:
            raise unknown_team(team_id)
        return position.point

    async def unchanged(
        self, team_id: str, since: Cursor | None = None, point: Cursor | None = None
    ) -> Response | None:
        """304 when the client holds the answer already, without reading any rows.

        That is the one at the point, or else at the log's present position.
        """
        if "if-none-match" not in self.request.headers:
            return None
        position = (await self.service.positions([team_id])).get(team_id)
        if position is None:
            raise self._without_log(team_id, since)
        if since is not None:
            check_log(since, position.log_id)
        etag = self.etag(shown(position, point).cursor)
        return not_modified(etag) if self.holds(etag) else None

    async def page(
        self, statement: str, team_id: str, limit: int, *arguments: object, since: Cursor | None = None
    ) -> Page:
        """One page of what a team has; raise `Problem`."""
        page = await read_page(self.database, statement, team_id, limit, *arguments)
        if page is None:
            raise self._without_log(team_id, since)
        if since is not None:
            check_log(since, page.position.log_id)
        return page

    def holds(self, etag: str) -> bool:
        """Whether the client says that it holds this representation."""
        return is_current(", ".join(self.request.headers.getlist("if-none-match")), etag)

    def etag(self, *cursors: str) -> str:
        """The tag of an answer that depends on a whole library: its log and sequence, and what was asked.

        So a client that mixes up its tags gets a page too often rather than never.
        """
        scope = self.request.scope
        asked = blake2b(scope["path"].encode() + b"?" + scope["query_string"], digest_size=6)
        return weak(".".join([*cursors, asked.hexdigest()]))

    def _without_log(self, team_id: str, since: Cursor | None) -> Problem:
        """Why the read models do not show a team: a cursor of this log proves that there is one."""
        if since is None:
            return unknown_team(team_id)
        check_log(since, self.service.log_id)
        return not_yet_visible()


def shown(position: Position, point: Cursor | None) -> Position:
    """The position that an answer shows: the point where it is one of the past.

    Raise `Problem` when the read models are not at the point (any more): they are being made anew.
    """
    if point is None:
        return position
    check_log(point, position.log_id)
    if position.sequence < point.sequence:
        raise not_yet_visible()
    return replace(position, sequence=point.sequence)


async def _reader(request: Request) -> Reader:
    return Reader(request.app.state.read_api, request)


CurrentReader = Annotated[Reader, Depends(_reader)]
