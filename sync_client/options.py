"""Options that several commands share."""

import os
from pathlib import Path
from typing import Annotated

import typer

Directory = Annotated[
    Path, typer.Option("--dir", help="The workspace's folder, or one below it.", envvar="PATTERNLOG_DIR")
]
Token = Annotated[
    str | None,
    typer.Option("--token", help="A token to use from now on; PATTERNLOG_TOKEN is used for this call only."),
]
AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]
Server = Annotated[str, typer.Option("--server", help="The server's base URL.")]
ReadServer = Annotated[
    str | None, typer.Option("--read-server", help="The read API's base URL, if it is another.")
]
HERE = Path()


def token_from(option: str | None) -> str | None:
    """The token that was given by option or environment."""
    return option or os.environ.get("PATTERNLOG_TOKEN")
