"""How commands about accounts and members reach a server: the one named, the workspace's, or the last."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import httpx

from sync_client.access import auth_for
from sync_client.api import Api
from sync_client.credentials import Credentials, credentials_path
from sync_client.errors import WorkspaceError
from sync_client.http_transport import http_client
from sync_client.workspace import Home, find_workspace, home_of

_Result = TypeVar("_Result")


@dataclass(frozen=True, kw_only=True)
class Place:
    """A server, and whose team's workspace this is, if it is one."""

    server: str
    read_server: str | None = None
    team_id: str | None = None
    username: str | None = None

    def ask(self, auth: httpx.Auth | None, work: Callable[[Api], Awaitable[_Result]]) -> _Result:
        """Do something on the server, and wait for it."""
        return asyncio.run(self._ask(auth, work))

    def ask_as(
        self, token: str | None, username: str | None, work: Callable[[Api], Awaitable[_Result]]
    ) -> _Result:
        """The same for a token, or for somebody who signed in; raise `NeedsSignIn` without either."""
        return self.ask(auth_for(self.server, token, username or self.username), work)

    async def _ask(self, auth: httpx.Auth | None, work: Callable[[Api], Awaitable[_Result]]) -> _Result:
        async with http_client(auth) as client:
            return await work(Api(client, self.server, self.read_server or self.server))


def place_of(server: str | None, directory: Path, read_server: str | None = None) -> Place:
    """A server that is named, the workspace's, or where somebody signed in last; raise `WorkspaceError`."""
    if server is not None:
        return Place(server=server, read_server=read_server)
    home = _home(directory)
    if home is not None:
        return Place(
            server=home.server,
            read_server=read_server or home.read_server,
            team_id=home.team_id,
            username=home.username,
        )
    accounts = Credentials(credentials_path()).accounts()
    if not accounts:
        raise WorkspaceError("no_server", "which server? Give it with --server")
    return Place(server=accounts[-1].server, read_server=read_server)


def _home(directory: Path) -> Home | None:
    try:
        workspace = find_workspace(directory)
    except WorkspaceError:
        return None
    with workspace.reading() as replica:
        return home_of(replica)
