"""What the routes share: the database, waiting for a cursor, and answers from ready-made JSON."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Annotated

from fastapi import Depends, Request
from starlette.responses import Response

from events.cursor import Cursor
from read_api.database import Database
from read_api.etags import is_current, not_modified, weak
from read_api.pages import Page, read_page
from read_api.parameters import Reading
from read_api.positions import Position, check_log, positions, read_cursor
from read_api.problems import not_yet_visible, unknown_team
from read_api.waiting import Visibility
from runtime.problems import Problem


class ReadService:
    """Reads the read models; one per process."""

    def __init__(self, database: Database, log_id: str) -> None:
        self.database = database
        self.log_id = log_id
        self.visibility = Visibility(self.positions, log_id)

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
            await self.service.visibility.wait(cursor, reading.timeout)

    async def unchanged(self, team_id: str, since: Cursor | None = None) -> Response | None:
        """304 when the client holds the answer at the log's present position, without reading any rows."""
        if "if-none-match" not in self.request.headers:
            return None
        position = (await self.service.positions([team_id])).get(team_id)
        if position is None:
            raise self._without_log(team_id, since)
        if since is not None:
            check_log(since, position.log_id)
        etag = self.etag(position)
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

    def etag(self, position: Position) -> str:
        """The tag of an answer that depends on a whole library: its log and sequence, and what was asked.

        So a client that mixes up its tags gets a page too often rather than never.
        """
        scope = self.request.scope
        asked = blake2b(scope["path"].encode() + b"?" + scope["query_string"], digest_size=6)
        return weak(f"{position.cursor}.{asked.hexdigest()}")

    def _without_log(self, team_id: str, since: Cursor | None) -> Problem:
        """Why the read models do not show a team: a cursor of this log proves that there is one."""
        if since is None:
            return unknown_team(team_id)
        check_log(since, self.service.log_id)
        return not_yet_visible()


async def _reader(request: Request) -> Reader:
    return Reader(request.app.state.read_api, request)


CurrentReader = Annotated[Reader, Depends(_reader)]
