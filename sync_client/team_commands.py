"""Commands on a team's members: they need the server, and none of them waits in the outbox."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from events.identifiers import is_uuid
from events.roles import Role
from sync_client.console import say, say_json
from sync_client.invitations import read_invitation
from sync_client.membership import TEAM, Membership, new_log_id
from sync_client.options import (
    HERE,
    AsJson,
    Directory,
    OtherServer,
    ReadServer,
    Removes,
    Sets,
    SetsJson,
    Token,
    Username,
    fields_from,
)
from sync_client.reaching import place_of

TeamId = Annotated[str | None, typer.Option("--team", help="Its id, if it is not the workspace's.")]
InvitationText = Annotated[str, typer.Argument(metavar="INVITATION", help="Its text; - is standard input.")]
Member = Annotated[str, typer.Argument(metavar="USER", help="The member's user id.")]
Days = Annotated[int, typer.Option("--expires-in-days", min=1, max=30, help="How long one can join by it.")]

app = typer.Typer(no_args_is_help=True, help="Teams: who belongs to them, and as what.")


def register(root: typer.Typer) -> None:
    """Add the commands to the command line."""
    root.add_typer(app, name="team")


@app.command()
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The new team's name.")],
    server: OtherServer = None,
    username: Username = None,
    token: Token = None,
    directory: Directory = HERE,
) -> None:
    """Create a team, of which you are the first admin."""
    team = _team(new_log_id(), server, username, token, directory)
    team.enter({"type": "create_team", "name": name})
    say(f"team {team.log_id}")


@app.command("list")
def list_teams(
    server: OtherServer = None,
    read_server: ReadServer = None,
    username: Username = None,
    token: Token = None,
    as_json: AsJson = False,
    directory: Directory = HERE,
) -> None:
    """The teams that you are a member of."""
    place = place_of(server, directory, read_server)
    found = place.ask_as(token, username, lambda api: api.read("teams"))
    if as_json:
        say_json(found)
        return
    for one in found.get("teams") or []:
        say(f"{one.get('team_id')}  {one.get('role'):<9}  {one.get('name')}")


@app.command()
def members(
    team: TeamId = None,
    server: OtherServer = None,
    read_server: ReadServer = None,
    username: Username = None,
    token: Token = None,
    as_json: AsJson = False,
    directory: Directory = HERE,
) -> None:
    """Who belongs to the team."""
    _team(team, server, username, token, directory, read_server).show_members(as_json=as_json)


@app.command()
def invitations(
    team: TeamId = None,
    server: OtherServer = None,
    read_server: ReadServer = None,
    username: Username = None,
    token: Token = None,
    as_json: AsJson = False,
    directory: Directory = HERE,
) -> None:
    """Invitations by which one can still join."""
    _team(team, server, username, token, directory, read_server).show_invitations(as_json=as_json)


@app.command()
def invite(
    role: Annotated[Role, typer.Option("--role", help="As what they join.")],
    days: Days = 7,
    team: TeamId = None,
    server: OtherServer = None,
    username: Username = None,
    token: Token = None,
    directory: Directory = HERE,
) -> None:
    """Print an invitation for one person, this once."""
    _team(team, server, username, token, directory).invite(role.value, days)


@app.command()
def revoke(
    invitation_id: Annotated[str, typer.Argument(metavar="INVITATION_ID")],
    team: TeamId = None,
    server: OtherServer = None,
    username: Username = None,
    token: Token = None,
    directory: Directory = HERE,
) -> None:
    """Take an invitation back."""
    _team(team, server, username, token, directory).revoke(invitation_id)


@app.command()
def join(
    invitation: InvitationText,
    server: OtherServer = None,
    read_server: ReadServer = None,
    username: Username = None,
    directory: Directory = HERE,
) -> None:
    """Join the team that an invitation is to."""
    given = read_invitation(invitation_from(invitation))
    _team(given.log_id, server, username, None, directory, read_server).join(given)


@app.command()
def add(
    member: Annotated[str, typer.Argument(metavar="USER", help="Their user id.")],
    role: Annotated[Role, typer.Option("--role", help="As what they belong to it.")],
    team: TeamId = None,
    server: OtherServer = None,
    username: Username = None,
    token: Token = None,
    directory: Directory = HERE,
) -> None:
    """Let somebody belong to the team who has an account; others are invited."""
    _team(team, server, username, token, directory).add(member, role.value)


@app.command()
def role(
    member: Member,
    role: Annotated[Role, typer.Argument(metavar="ROLE")],
    team: TeamId = None,
    server: OtherServer = None,
    username: Username = None,
    token: Token = None,
    directory: Directory = HERE,
) -> None:
    """Make a member something else."""
    _team(team, server, username, token, directory).change_role(member, role.value)


@app.command()
def remove(
    member: Member,
    team: TeamId = None,
    server: OtherServer = None,
    username: Username = None,
    token: Token = None,
    directory: Directory = HERE,
) -> None:
    """Remove a member, which cuts them off at once."""
    _team(team, server, username, token, directory).remove(member)


@app.command()
def settings(  # noqa: PLR0913, PLR0917 - each is an option
    given: Sets = None,
    given_json: SetsJson = None,
    remove: Removes = None,
    team: TeamId = None,
    server: OtherServer = None,
    read_server: ReadServer = None,
    username: Username = None,
    token: Token = None,
    directory: Directory = HERE,
) -> None:
    """Change the team's settings, or show them."""
    found = _team(team, server, username, token, directory, read_server)
    found.change_settings(set=fields_from(given, given_json), remove=list(remove or ()))


def invitation_from(text: str) -> str:
    """An invitation from an argument, or from standard input."""
    return sys.stdin.readline() if text == "-" else text


def _team(
    team: str | None,
    server: str | None,
    username: str | None,
    token: str | None,
    directory: Path,
    read_server: str | None = None,
) -> Membership:
    place = place_of(server, directory, read_server)
    team_id = team or place.team_id
    if team_id is None:
        raise typer.BadParameter("which team? Give its id with --team")
    if not is_uuid(team_id):
        raise typer.BadParameter(f"{team_id!r} is not a team's id, which is a lower-case UUID")
    return Membership(place=place, kind=TEAM, log_id=team_id, token=token, username=username)
