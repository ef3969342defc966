"""Commands on an organization: its members, and its teams."""

from pathlib import Path
from typing import Annotated

import typer

from events.identifiers import is_uuid
from events.roles import OrganizationRole
from sync_client.console import say
from sync_client.invitations import read_invitation
from sync_client.membership import ORGANIZATION, Membership, new_log_id
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
from sync_client.team_commands import Days, InvitationText, Member, invitation_from

OrgId = Annotated[str, typer.Option("--org", help="The organization's id.", envvar="PATTERNLOG_ORGANIZATION")]

app = typer.Typer(no_args_is_help=True, help="Organizations: their members, and their teams.")


def register(root: typer.Typer) -> None:
    """Add the commands to the command line."""
    root.add_typer(app, name="org")


@app.command()
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The new organization's name.")],
    server: OtherServer = None,
    username: Username = None,
    token: Token = None,
    directory: Directory = HERE,
) -> None:
    """Create an organization, of which you are the first admin."""
    org = _organization(new_log_id(), server, username, token, directory)
    org.enter({"type": "create_organization", "name": name})
    say(f"organization {org.log_id}")


@app.command("add-team")
def add_team(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The new team's name.")],
    org: OrgId,
    server: OtherServer = None,
    username: Username = None,
    token: Token = None,
    directory: Directory = HERE,
) -> None:
    """Create a team of the organization's."""
    team_id = new_log_id()
    command = {"type": "add_team", "team_id": team_id, "name": name}
    _organization(org, server, username, token, directory).submit(command)
    say(f"team {team_id}")


@app.command()
def members(
    org: OrgId,
    server: OtherServer = None,
    read_server: ReadServer = None,
    username: Username = None,
    token: Token = None,
    as_json: AsJson = False,
    directory: Directory = HERE,
) -> None:
    """Who belongs to the organization."""
    _organization(org, server, username, token, directory, read_server).show_members(as_json=as_json)


@app.command()
def invite(
    org: OrgId,
    role: Annotated[
        OrganizationRole, typer.Option("--role", help="As what they join.")
    ] = OrganizationRole.MEMBER,
    days: Days = 7,
    server: OtherServer = None,
    username: Username = None,
    token: Token = None,
    directory: Directory = HERE,
) -> None:
    """Print an invitation for one person, this once."""
    _organization(org, server, username, token, directory).invite(role.value, days)


@app.command()
def settings(  # noqa: PLR0913, PLR0917 - each is an option
    org: OrgId,
    given: Sets = None,
    given_json: SetsJson = None,
    remove: Removes = None,
    enforce: Annotated[list[str] | None, typer.Option("--enforce", help="No team can override it.")] = None,
    release: Annotated[list[str] | None, typer.Option("--release", help="Teams can override it.")] = None,
    server: OtherServer = None,
    read_server: ReadServer = None,
    username: Username = None,
    token: Token = None,
    directory: Directory = HERE,
) -> None:
    """Change the settings of all its teams, or show them."""
    found = _organization(org, server, username, token, directory, read_server)
    found.change_settings(
        set=fields_from(given, given_json),
        remove=list(remove or ()),
        enforce=list(enforce or ()),
        release=list(release or ()),
    )


@app.command()
def join(
    invitation: InvitationText,
    server: OtherServer = None,
    read_server: ReadServer = None,
    username: Username = None,
    directory: Directory = HERE,
) -> None:
    """Join the organization that an invitation is to."""
    given = read_invitation(invitation_from(invitation))
    _organization(given.log_id, server, username, None, directory, read_server).join(given)


@app.command()
def role(
    member: Member,
    role: Annotated[OrganizationRole, typer.Argument(metavar="ROLE")],
    org: OrgId,
    server: OtherServer = None,
    username: Username = None,
    token: Token = None,
    directory: Directory = HERE,
) -> None:
    """Make a member something else."""
    _organization(org, server, username, token, directory).change_role(member, role.value)


@app.command()
def remove(
    member: Member,
    org: OrgId,
    server: OtherServer = None,
    username: Username = None,
    token: Token = None,
    directory: Directory = HERE,
) -> None:
    """Remove a member."""
    _organization(org, server, username, token, directory).remove(member)


def _organization(
    org: str,
    server: str | None,
    username: str | None,
    token: str | None,
    directory: Path,
    read_server: str | None = None,
) -> Membership:
    if not is_uuid(org):
        raise typer.BadParameter(f"{org!r} is not an organization's id, which is a lower-case UUID")
    place = place_of(server, directory, read_server)
    return Membership(place=place, kind=ORGANIZATION, log_id=org, token=token, username=username)
