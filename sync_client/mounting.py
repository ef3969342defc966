"""Commands of other packages, found by their entry points and loaded when they are asked for."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import typer.main
from typer.core import TyperGroup

from sync_client.errors import USAGE, SyncError

GROUP = "patternlog.commands"


class ExtraMissing(SyncError):
    """The command may be part of an extra that is not installed."""

    exit_code = USAGE


class MountingGroup(TyperGroup):
    """A group of commands that also offers those of the entry points' Typer apps, under their own names."""

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """A command of our own, or the first mounted one of this name."""
        if (own := super().get_command(ctx, cmd_name)) is not None:
            return own
        missing: list[str] = []
        for commands in _mounted(missing):
            if cmd_name in commands:
                return commands[cmd_name]
        if missing and not get_close_matches(cmd_name, self.commands):
            raise ExtraMissing("extra_missing", f"no command {cmd_name!r}: {'; '.join(missing)}")
        return None

    def list_commands(self, ctx: Any) -> list[str]:
        """Our own commands, and those that can be loaded."""
        mounted = [name for commands in _mounted([]) for name in commands]
        return list(dict.fromkeys([*super().list_commands(ctx), *mounted]))


def _mounted(missing: list[str]) -> Iterator[Mapping[str, Any]]:
    """The commands of each entry point; those that cannot be loaded are told of in `missing`."""
    for entry in entry_points(group=GROUP):
        try:
            yield _commands_of(entry)
        except ImportError as error:
            missing.append(f"patternlog[{entry.name}] is not installed ({error})")


def _commands_of(entry: EntryPoint) -> Mapping[str, Any]:
    app = entry.load()
    return typer.main.get_group(app).commands
