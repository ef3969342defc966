"""Commands of people: register, login, logout, whoami."""

import platform
import sys
from pathlib import Path
from typing import Annotated

import httpx
import typer

from sync_client.api import Api
from sync_client.console import say, say_json, warn
from sync_client.credentials import Credentials, credentials_path
from sync_client.errors import NeedsSignIn
from sync_client.options import HERE, AsJson, Directory, OtherServer, Token, Username
from sync_client.reaching import Place, place_of
from sync_client.session_auth import SessionAuth

_LONGEST_DEVICE = 64
_OURSELVES = frozenset({"localhost", "127.0.0.1", "::1"})

PasswordStdin = Annotated[
    bool, typer.Option("--password-stdin", help="The password is the first line of standard input.")
]


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command("register")(register_account)
    for command in (login, logout, whoami):
        app.command()(command)
    app.command("verify-email")(verify_email)


def register_account(
    server: OtherServer = None,
    username: Annotated[str | None, typer.Option("--username", help="A name to sign in by.")] = None,
    email: Annotated[str | None, typer.Option("--email", help="For mail about the account.")] = None,
    password_stdin: PasswordStdin = False,
    directory: Directory = HERE,
) -> None:
    """Make an account, and sign in with it."""
    place = _place_for_secrets(server, directory)
    name = username or _asked("Username")
    address = email or _asked("E-mail")
    password = _password(password_stdin, confirm=True)

    async def work(api: Api) -> None:
        await api.post("auth/register", {"username": name, "email": address, "password": password})

    place.ask(None, work)
    say(f"registered {name}")
    _sign_in(place, name, password)


def login(
    server: OtherServer = None,
    username: Annotated[str | None, typer.Option("--username", help="Who; or the e-mail address.")] = None,
    password_stdin: PasswordStdin = False,
    directory: Directory = HERE,
) -> None:
    """Sign in: what is kept is no password, and in no workspace."""
    place = _place_for_secrets(server, directory)
    name = username or place.username or _asked("Username")
    _sign_in(place, name, _password(password_stdin))


def logout(
    server: OtherServer = None,
    username: Username = None,
    local: Annotated[
        bool, typer.Option("--local", help="Only forget it here; the server is not told.")
    ] = False,
    directory: Directory = HERE,
) -> None:
    """End the session here and on the server."""
    place = place_of(server, directory)
    credentials = Credentials(credentials_path())
    auth = SessionAuth(credentials, credentials.find(place.server, username or place.username))

    async def work(api: Api) -> None:
        await api.post("auth/logout", {})

    if not local:
        try:
            place.ask(auth, work)
        except NeedsSignIn:
            warn("the session was over already")
    credentials.sign_out(auth.account)
    say(f"signed out {auth.account.username}")


def whoami(
    server: OtherServer = None,
    username: Username = None,
    token: Token = None,
    as_json: AsJson = False,
    directory: Directory = HERE,
) -> None:
    """Whom the server takes us for."""
    place = place_of(server, directory)
    found = place.ask_as(token, username, lambda api: api.get("auth/me"))
    if as_json:
        say_json(found)
    else:
        say(f"{found.get('username')}  {found.get('user_id')}  on {place.server}")


def verify_email(
    code: Annotated[str, typer.Argument(metavar="CODE", help="From the mail.")],
    server: OtherServer = None,
    directory: Directory = HERE,
) -> None:
    """Prove that the account's e-mail address is ours, with the code that was sent there."""

    async def work(api: Api) -> None:
        await api.post("auth/email/verify", {"token": code})

    place_of(server, directory).ask(None, work)
    say("verified")


# ---------------------------------------------------------------- signing in


def _sign_in(place: Place, name: str, password: str) -> None:
    device = f"patternlog on {platform.node()}"[:_LONGEST_DEVICE]
    credentials = Credentials(credentials_path())
    known = credentials.device_of(place.server, name)
    found = place.ask(None, lambda api: api.log_in(name, password, device, known))
    credentials.sign_in(found.account, found.known_device)
    say(f"signed in on {place.server} as {found.account.username}")


def _place_for_secrets(server: str | None, directory: Path) -> Place:
    place = place_of(server, directory)
    try:
        url = httpx.URL(place.server)
    except httpx.InvalidURL as error:
        raise typer.BadParameter(f"{place.server!r} is no URL: {error}") from None
    if url.scheme == "http" and url.host not in _OURSELVES:
        warn(f"the password goes to {url.host} unencrypted: better use https")
    return place


def _asked(what: str) -> str:
    if not sys.stdin.isatty():
        raise typer.BadParameter(f"there is no terminal to ask for it at: {what}")
    answer: str = typer.prompt(what, err=True)
    return answer


def _password(from_stdin: bool, *, confirm: bool = False) -> str:
    if from_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
        if not password:
            raise typer.BadParameter("standard input begins with no password")
        return password
    if not sys.stdin.isatty():
        raise typer.BadParameter("there is no terminal to ask for the password at: give --password-stdin")
    answer: str = typer.prompt("Password", hide_input=True, confirmation_prompt=confirm, err=True)
    return answer
