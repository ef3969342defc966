"""Options that several commands share."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from events.errors import InvalidJson
from events.json_text import Json, parse

Directory = Annotated[
    Path, typer.Option("--dir", help="The workspace's folder, or one below it.", envvar="PATTERNLOG_DIR")
]
Token = Annotated[
    str | None,
    typer.Option("--token", help="An API key or access token for this call; better PATTERNLOG_TOKEN."),
]
AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]
Server = Annotated[str, typer.Option("--server", help="The server's base URL.")]
OtherServer = Annotated[
    str | None,
    typer.Option("--server", help="Its base URL, if not the workspace's or the last one."),
]
ReadServer = Annotated[
    str | None, typer.Option("--read-server", help="The read API's base URL, if it is another.")
]
Sets = Annotated[list[str] | None, typer.Option("--set", metavar="FIELD=TEXT", help="Set a field to a text.")]
SetsJson = Annotated[
    list[str] | None, typer.Option("--set-json", metavar="FIELD=JSON", help="Set a field to a JSON value.")
]
Removes = Annotated[list[str] | None, typer.Option("--remove", metavar="FIELD", help="Remove a field.")]
Username = Annotated[
    str | None, typer.Option("--username", help="Who, if several have signed in on this server.")
]
HERE = Path()


def token_from(option: str | None) -> str | None:
    """The token that was given by option or environment."""
    return option or os.environ.get("PATTERNLOG_TOKEN")


def fields_from(given: Sequence[str] | None, given_json: Sequence[str] | None) -> dict[str, Json]:
    """The fields that were set by options."""
    texts = dict(pair_from(text) for text in given or ())
    values = dict(pair_from(text) for text in given_json or ())
    return {**texts, **{field: _value(field, text) for field, text in values.items()}}


def pair_from(text: str) -> tuple[str, str]:
    """A field and what follows its equals sign."""
    field, found, value = text.partition("=")
    if not found or not field:
        raise typer.BadParameter(f"{text!r} is not FIELD=VALUE")
    return field, value


def _value(field: str, text: str) -> Json:
    try:
        return parse(text.encode("utf-8", "surrogatepass"))
    except InvalidJson as error:
        raise typer.BadParameter(f"{field}: {error.reason}") from None
