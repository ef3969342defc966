"""Commands on credentials: API keys for machines, and the sessions of one's devices."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

import typer

from events.json_text import Json
from events.roles import Role
from sync_client.console import say, say_json, warn
from sync_client.identity_wire import read_new_key
from sync_client.options import HERE, AsJson, Directory, OtherServer, Token, Username
from sync_client.reaching import place_of

_KEY = ("key_id", "name", "right", "team_id", "expires_at", "last_used_at")
_SESSION = ("session_id", "device", "created_at", "last_used_at", "current")

keys = typer.Typer(no_args_is_help=True, help="API keys, for machines.")
sessions = typer.Typer(no_args_is_help=True, help="Where your account is signed in.")


def register(root: typer.Typer) -> None:
    """Add the commands to the command line."""
    root.add_typer(keys, name="keys")
    root.add_typer(sessions, name="sessions")


@keys.command()
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What the key is for.")],
    right: Annotated[Role, typer.Option("--role", help="It is good for this role's rights at most.")],
    team: Annotated[str | None, typer.Option("--team", help="For this team alone.")] = None,
    expires_in_days: Annotated[int | None, typer.Option("--expires-in-days", min=1)] = None,
    server: OtherServer = None,
    username: Username = None,
    directory: Directory = HERE,
) -> None:
    """Make a key, and print it, this once."""
    wanted = {"name": name, "right": right.value, "team_id": team, "expires_in_days": expires_in_days}
    body = {member: value for member, value in wanted.items() if value is not None}
    place = place_of(server, directory)
    answer = place.ask_as(None, username, lambda api: api.post("auth/keys", body))
    say(read_new_key(answer).key)
    warn("keep it well: it is not shown again")


@keys.command("list")
def list_keys(
    server: OtherServer = None,
    username: Username = None,
    token: Token = None,
    as_json: AsJson = False,
    directory: Directory = HERE,
) -> None:
    """Your keys, but for what is secret of them."""
    found = place_of(server, directory).ask_as(token, username, lambda api: api.get("auth/keys"))
    _tell(found, "keys", _KEY, as_json=as_json)


@keys.command("delete")
def delete_key(
    key_id: Annotated[str, typer.Argument(metavar="KEY_ID")],
    server: OtherServer = None,
    username: Username = None,
    directory: Directory = HERE,
) -> None:
    """End a key, everywhere and at once."""
    place_of(server, directory).ask_as(None, username, lambda api: api.delete(f"auth/keys/{key_id}"))
    say(f"deleted {key_id}")


@sessions.command("list")
def list_sessions(
    server: OtherServer = None,
    username: Username = None,
    token: Token = None,
    as_json: AsJson = False,
    directory: Directory = HERE,
) -> None:
    """Your sessions: one for each login."""
    found = place_of(server, directory).ask_as(token, username, lambda api: api.get("auth/sessions"))
    _tell(found, "sessions", _SESSION, as_json=as_json)


@sessions.command("end")
def end_session(
    session_id: Annotated[str | None, typer.Argument(metavar="SESSION_ID")] = None,
    all_: Annotated[bool, typer.Option("--all", help="Every one, also this.")] = False,
    server: OtherServer = None,
    username: Username = None,
    directory: Directory = HERE,
) -> None:
    """End a session, wherever it is."""
    if (session_id is None) == (not all_):
        raise typer.BadParameter("give either a session's id or --all")
    path = "auth/sessions" if session_id is None else f"auth/sessions/{session_id}"
    place_of(server, directory).ask_as(None, username, lambda api: api.delete(path))
    say(f"ended {session_id or 'every session'}")


def _tell(found: Mapping[str, Json], name: str, columns: Iterable[str], *, as_json: bool) -> None:
    if as_json:
        say_json(found)
        return
    items: list[dict[str, Any]] = found.get(name) or []
    for item in items:
        say("  ".join(str(item[column]) for column in columns if item.get(column) not in (None, False)))
