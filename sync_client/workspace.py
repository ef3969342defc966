"""A workspace: a folder with a replica and its settings, in `.patternlog`; no secret is ever in it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sync_client.access import auth_for
from sync_client.console import warn
from sync_client.errors import WorkspaceError
from sync_client.head_store import HeadStore
from sync_client.http_transport import Endpoint
from sync_client.replica import Replica, readable_replica, writable_replica

NAME = ".patternlog"


@dataclass(frozen=True, kw_only=True)
class Home:
    """Where a workspace's library is served."""

    server: str
    team_id: str
    read_server: str | None = None
    username: str | None = None
    """Who works here; whoever signed in last, if nobody is named."""


class Workspace:
    """An existing workspace."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @contextmanager
    def writing(self) -> Iterator[Replica]:
        """The replica, to write."""
        with writable_replica(self.folder) as replica:
            _warn_of_evidence(replica)
            yield replica

    @contextmanager
    def reading(self) -> Iterator[Replica]:
        """The replica, to read; another process may be writing."""
        with readable_replica(self.folder) as replica:
            _warn_of_evidence(replica)
            yield replica


def _warn_of_evidence(replica: Replica) -> None:
    unsettled = HeadStore(replica).unsettled()
    if unsettled is not None:
        warn(unsettled.message)


def find_workspace(start: Path) -> Workspace:
    """The workspace of a folder or the nearest one above it; raise `WorkspaceError` if there is none."""
    start = start.resolve()
    for folder in (start, *start.parents):
        if (folder / NAME / "replica.sqlite").exists():
            return Workspace(folder / NAME)
    raise WorkspaceError(
        "no_workspace", f"no workspace in {start} or above it: make one with patternlog init"
    )


@contextmanager
def new_workspace(folder: Path, home: Home) -> Iterator[tuple[Workspace, Replica]]:
    """Make a workspace, and open it to write; one whose making was cut off is made again."""
    workspace = Workspace(folder / NAME)
    try:
        workspace.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (workspace.folder / ".gitignore").write_text("*\n", encoding="utf-8")
        with workspace.writing() as replica:
            if replica.get("team_id") is not None:
                raise WorkspaceError("workspace_exists", f"{folder.resolve()} holds a workspace already")
            with replica.transaction():
                replica.put("server", home.server)
                replica.put("read_server", home.read_server)
                replica.put("username", home.username)
                replica.put("team_id", home.team_id)
            yield workspace, replica
    except OSError as error:
        raise WorkspaceError("workspace_unusable", f"{error.filename}: {error.strerror}") from error


def home_of(replica: Replica) -> Home:
    """Where the replica's library is served; raise `WorkspaceError` if its making was cut off."""
    server, team_id = replica.get("server"), replica.get("team_id")
    if server is None or team_id is None:
        raise WorkspaceError("no_workspace", "making this workspace was cut off: init it again")
    read_server, username = replica.get("read_server"), replica.get("username")
    return Home(server=server, team_id=team_id, read_server=read_server, username=username)


def endpoint_of(home: Home, token: str | None) -> Endpoint:
    """How to reach a library's server, by a token or signed in; raise `NeedsSignIn` without either."""
    auth = auth_for(home.server, token, home.username)
    return Endpoint(server=home.server, read_server=home.read_server, team_id=home.team_id, auth=auth)
