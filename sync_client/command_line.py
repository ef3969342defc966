"""The `patternlog` command line."""

import sys
from io import TextIOWrapper

import stamina.instrumentation
import typer

from sync_client import (
    account_commands,
    audit_commands,
    conflict_commands,
    file_commands,
    key_commands,
    org_commands,
    pattern_commands,
    sync_commands,
    team_commands,
)
from sync_client.console import warn
from sync_client.errors import SyncError
from sync_client.mounting import MountingGroup

app = typer.Typer(
    name="patternlog",
    cls=MountingGroup,
    help="A team's pattern library, kept in step with everybody's, offline or on.",
    epilog="Exit codes: 0 fine, 1 drafts or invalid patterns, 2 usage, 3 later, 4 sign in, 5 server, 6 disk,"
    " 7 a proof failed.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
account_commands.register(app)
sync_commands.register(app)
pattern_commands.register(app)
conflict_commands.register(app)
file_commands.register(app)
audit_commands.register(app)
team_commands.register(app)
org_commands.register(app)
key_commands.register(app)


def main() -> None:
    """Run the command line; an expected failure is one line on stderr and an exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    # Whoever retries says so itself, and never on standard output, which is for programs.
    stamina.instrumentation.set_on_retry_hooks([])
    try:
        app()
    except SyncError as error:
        warn(f"patternlog: {error.message} [{error.code}]")
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
