"""Commands that keep the library in step: init, pull, push, sync, status."""

import sys
import time
import uuid
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Literal

import typer

from events.identifiers import is_uuid
from sync_client.access import auth_for, username_of
from sync_client.audit_files import keys_of
from sync_client.client import SyncClient
from sync_client.console import age, counted, exit_with, say, say_json
from sync_client.edits import Editor
from sync_client.errors import EVIDENCE
from sync_client.head_store import HeadStore
from sync_client.http_transport import Endpoint
from sync_client.options import HERE, AsJson, Directory, ReadServer, Server, Token, Username
from sync_client.outbox import Outbox
from sync_client.pull import PullReport
from sync_client.push import StillPending
from sync_client.replica import Replica
from sync_client.session import check, run
from sync_client.settlement import PushReport
from sync_client.status import Status, status_of
from sync_client.surroundings import utc_now
from sync_client.workspace import Home, endpoint_of, find_workspace, home_of, new_workspace

Step = Literal["pull", "push"]


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    for command in (init, pull, push, sync, status):
        app.command()(command)


def init(  # noqa: PLR0913, PLR0917 - each is an option
    server: Server,
    read_server: ReadServer = None,
    team: Annotated[str | None, typer.Option("--team", help="The id of a team that exists.")] = None,
    create: Annotated[str | None, typer.Option("--create", help="The name of a team to create.")] = None,
    audit_key: Annotated[
        list[str] | None,
        typer.Option("--audit-key", metavar="VKEY", help="A key of the log; else the first one seen."),
    ] = None,
    username: Username = None,
    token: Token = None,
    directory: Directory = HERE,
) -> None:
    """Make a workspace: for a team that exists, or for one that is created."""
    keys = keys_of(audit_key)
    if (team is None) == (create is None):
        raise typer.BadParameter("give either --team or --create")
    if team is not None and not is_uuid(team):
        raise typer.BadParameter(f"{team!r} is not a team's id, which is a lower-case UUID")
    auth = auth_for(server, token, username)
    home = Home(
        server=server, read_server=read_server, team_id=team or str(uuid.uuid4()), username=username_of(auth)
    )
    endpoint = endpoint_of(home, token)
    if create is None:
        check(endpoint)
    with new_workspace(directory, home) as (_, replica):
        with replica.transaction():
            HeadStore(replica).trust(keys, "given", utc_now())
        if create is not None:
            with replica.transaction():
                Editor(replica).create_team(create, utc_now())
            say(f"team {home.team_id}")
        _keep_in_step(replica, endpoint, "pull" if create is None else "push")


def pull(token: Token = None, directory: Directory = HERE) -> None:
    """Catch up with the server."""
    _on_workspace(directory, token, "pull")


def push(token: Token = None, directory: Directory = HERE) -> None:
    """Send what waits in the outbox."""
    _on_workspace(directory, token, "push")


def sync(token: Token = None, directory: Directory = HERE) -> None:
    """Pull, push, and pull again."""
    _on_workspace(directory, token, "pull", "push", "pull")


def status(as_json: AsJson = False, directory: Directory = HERE) -> None:
    """Where the workspace stands: what is here, what waits, and what needs you."""
    with find_workspace(directory).reading() as replica:
        found = status_of(replica)
    if as_json:
        say_json(asdict(found))
    else:
        _say_status(found)
    if found.failed_proofs:
        sys.exit(EVIDENCE)
    exit_with(found.conflicts + found.refused)


# ---------------------------------------------------------------- working with the server


def _on_workspace(directory: Path, token: str | None, *steps: Step) -> None:
    workspace = find_workspace(directory)
    with workspace.writing() as replica:
        endpoint = endpoint_of(home_of(replica), token)
        if len(steps) > 1 and Outbox(replica.connection).team_creation() is not None:
            steps = steps[1:]
        _keep_in_step(replica, endpoint, *steps)


def _keep_in_step(replica: Replica, endpoint: Endpoint, *steps: Step) -> None:
    """Take the steps, tell what they did, also when one fails, and leave with the exit code."""
    sentences: list[str] = []
    unanswered = 0
    begun = time.monotonic()

    async def work(client: SyncClient) -> int:
        for step in steps:
            if step == "pull":
                sentences.append(_pulled(await client.pull()))
                continue
            try:
                await client.push()
            finally:
                sentences.append(_pushed(client.pushed))
        return client.pushed.unanswered

    try:
        unanswered = run(replica, endpoint, work)
    finally:
        for sentence in sentences:
            say(sentence)
    say(f"took {time.monotonic() - begun:.1f} s")
    if unanswered:
        raise StillPending
    exit_with(Outbox(replica.connection).count_drafts())


# ---------------------------------------------------------------- sentences


def _pulled(report: PullReport) -> str:
    what = f"pulled {counted(report.changes, 'change')}"
    if report.rebuilt:
        what = f"the server's log is another one: rebuilt the library, {counted(report.changes, 'pattern')}"
    return f"{what}; {counted(report.drafts, 'draft')} came of it" if report.drafts else what


def _pushed(report: PushReport) -> str:
    if not report.answered and not report.unanswered:
        return "pushed nothing"
    outcomes = {
        "accepted": report.accepted,
        "merged": report.merged,
        "in conflict": report.conflicts,
        "refused": report.refused,
        "held up": report.held_up,
        "not yet answered": report.unanswered,
    }
    parts = ", ".join(f"{number:,} {name}" for name, number in outcomes.items() if number)
    sent = counted(report.answered + report.unanswered, "command")
    batches = f"{report.batches:,} batch" + ("" if report.batches == 1 else "es")
    return f"pushed {sent} in {batches}: {parts}"


def _say_status(found: Status) -> None:
    say(f"team     {found.team_id} on {found.server}")
    if found.read_server:
        say(f"reads    {found.read_server}")
    pulled = "never pulled"
    if found.pulled_at is not None:
        pulled = f"at sequence {found.sequence:,}, pulled {age(found.pulled_at, utc_now())}"
    say(f"library  {counted(found.patterns, 'pattern')}, {found.archived:,} archived; {pulled}")
    waits = f"{found.waiting:,} to push, {found.unanswered:,} sent and not answered"
    say(f"outbox   {waits}, {found.held:,} held up by drafts")
    say(f"drafts   {counted(found.conflicts, 'conflict')}, {found.refused:,} refused")
