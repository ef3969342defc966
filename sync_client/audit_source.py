"""Where an auditor downloads from: the workspace's server, or one that is named."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

import typer

from events.identifiers import is_uuid
from evidence.notes import Key
from sync_client.audit_download import AuditDownload, Downloaded
from sync_client.console import watching
from sync_client.head_store import HeadStore
from sync_client.http_transport import Endpoint, http_transport
from sync_client.retrying import Patience
from sync_client.workspace import Home, endpoint_of, find_workspace, home_of

PATIENCE = Patience()


@dataclass(frozen=True, kw_only=True)
class Source:
    """A team on a server, and what the workspace knows of its log: keys, and the head that was seen last."""

    endpoint: Endpoint
    keys: list[Key]
    heads: list[str]
    log_id: str | None = None


def source_of(server: str | None, team: str | None, token: str | None, directory: Path) -> Source:
    """The workspace's team, or another one; raise `SyncError` without a workspace or token."""
    if (server is None) != (team is None):
        raise typer.BadParameter("give --server and --team, or neither")
    if server is None or team is None:
        workspace = find_workspace(directory)
        with workspace.reading() as replica:
            store = HeadStore(replica)
            endpoint = endpoint_of(home_of(replica), token)
            log_id = replica.get("log_id")
            held = store.held(log_id or "")
            heads = [] if held is None else [str(held.note)]
            return Source(endpoint=endpoint, keys=store.keys(), heads=heads, log_id=log_id)
    if not is_uuid(team):
        raise typer.BadParameter(f"{team!r} is not a team's id, which is a lower-case UUID")
    return Source(endpoint=endpoint_of(Home(server=server, team_id=team), token), keys=[], heads=[])


def download(source: Source, folder: Path, first: int) -> Downloaded:
    """Download a log and its heads into a folder, and show how far it has come."""

    async def work() -> Downloaded:
        async with http_transport(source.endpoint) as transport:
            return await AuditDownload(folder, transport, PATIENCE, progress).run(first)

    with watching() as progress:
        return asyncio.run(work())
