"""`patternlog organizations` and `patternlog members`: what no one but an operator may do."""

# ruff: noqa: PLC0415

import asyncio
from typing import Annotated

import typer

from events.roles import Role, Tier
from server.configured import configured

organizations = typer.Typer(no_args_is_help=True, help="Say what organizations have subscribed to.")
members = typer.Typer(no_args_is_help=True, help="Let people into teams that nobody could let them into.")


@organizations.callback()
@members.callback()
def _groups() -> None:
    """Keep the names of single commands."""


@organizations.command("set-tier")
def set_tier(
    organization: Annotated[str, typer.Argument(help="the organization's id")],
    tier: Annotated[Tier, typer.Argument(help="what it has subscribed to")],
) -> None:
    """Change an organization's tier, by a command of the service's own."""
    from server.operating import set_tier as run

    with configured() as settings:
        typer.echo(asyncio.run(run(settings, organization, tier)))


@members.command("add")
def add(
    team: Annotated[str, typer.Argument(help="the team's id")],
    user: Annotated[str, typer.Argument(help="the user's id")],
    role: Annotated[Role, typer.Argument(help="what they are to be")],
) -> None:
    """Add a member to a team: one without members, or without an admin, has no other way."""
    from server.operating import add_member

    with configured() as settings:
        typer.echo(asyncio.run(add_member(settings, team, user, role)))
