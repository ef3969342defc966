"""Commands on patterns: they work offline, and what they change waits in the outbox."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from events.json_text import Json, dump
from sync_client.console import say, say_json
from sync_client.edits import Editor
from sync_client.errors import LocalRefusal
from sync_client.library import Library, VisiblePattern
from sync_client.options import HERE, AsJson, Directory, Removes, Sets, SetsJson, fields_from
from sync_client.pattern_files import written
from sync_client.replica import Replica
from sync_client.surroundings import utc_now
from sync_client.workspace import find_workspace

Name = Annotated[str, typer.Argument(metavar="NAME", help="A pattern's name, or its id.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command("list")(list_patterns)
    for command in (show, record, edit, archive, restore, delete):
        app.command()(command)


# ---------------------------------------------------------------- reading


def list_patterns(
    archived: Annotated[bool, typer.Option("--archived", help="Those that were put away.")] = False,
    as_json: AsJson = False,
    directory: Directory = HERE,
) -> None:
    """The patterns by name; * marks those with edits that are not confirmed."""
    with find_workspace(directory).reading() as replica, replica.snapshot():
        patterns = Library(replica.connection).patterns("archived" if archived else "live")
        if as_json:
            texts = (dump(_described(pattern)).decode() for pattern in patterns)
            sys.stdout.writelines(written(texts, "json"))
            return
        for pattern in patterns:
            fields = pattern.fields
            columns = (pattern.name, fields.get("severity") or "-", fields.get("category") or "-")
            say(("* " if pattern.edited else "  ") + "  ".join(map(str, columns)))


def show(name: Name, as_json: AsJson = False, directory: Directory = HERE) -> None:
    """One pattern, with its local edits."""
    with find_workspace(directory).reading() as replica:
        pattern = _found(replica, name)
    if as_json:
        say_json(_described(pattern))
        return
    edited = ", with edits that are not confirmed" if pattern.edited else ""
    say(f"{pattern.pattern_id}  version {pattern.version}, {pattern.status}{edited}")
    for field, value in pattern.fields.items():
        say(f"{field}: {value if isinstance(value, str) else dump(value).decode()}")


# ---------------------------------------------------------------- editing


def record(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The new pattern's name.")],
    given: Sets = None,
    given_json: SetsJson = None,
    directory: Directory = HERE,
) -> None:
    """Add a pattern."""
    fields = {"name": name, **fields_from(given, given_json)}
    with find_workspace(directory).writing() as replica, replica.transaction():
        Editor(replica).record(fields, utc_now())
    say(f"recorded {name!r}; patternlog push sends it")


def edit(
    name: Name,
    given: Sets = None,
    given_json: SetsJson = None,
    remove: Removes = None,
    directory: Directory = HERE,
) -> None:
    """Set and remove fields of a pattern."""
    fields = fields_from(given, given_json)
    with find_workspace(directory).writing() as replica, replica.transaction():
        pattern = _found(replica, name)
        Editor(replica).edit(pattern.pattern_id, fields, remove or (), utc_now())
    say(f"edited {pattern.name!r}; patternlog push sends it")


def archive(name: Name, directory: Directory = HERE) -> None:
    """Put a pattern away; its name becomes free."""
    _change_status(directory, name, "archive_pattern", "archived")


def restore(name: Name, directory: Directory = HERE) -> None:
    """Bring an archived pattern back."""
    _change_status(directory, name, "restore_pattern", "restored")


def delete(name: Name, directory: Directory = HERE) -> None:
    """Delete a pattern for good."""
    _change_status(directory, name, "delete_pattern", "deleted")


def _change_status(directory: Path, name: str, command_type: str, done: str) -> None:
    with find_workspace(directory).writing() as replica, replica.transaction():
        pattern = _found(replica, name)
        Editor(replica).change_status(pattern.pattern_id, command_type, utc_now())
    say(f"{done} {pattern.name!r}; patternlog push sends it")


# ---------------------------------------------------------------- helpers


def _found(replica: Replica, name: str) -> VisiblePattern:
    pattern = Library(replica.connection).find(name)
    if pattern is None:
        raise LocalRefusal("unknown_pattern", f"the library has no pattern {name!r}")
    return pattern


def _described(pattern: VisiblePattern) -> dict[str, Json]:
    return {
        "pattern_id": pattern.pattern_id,
        "version": pattern.version,
        "status": pattern.status,
        "edited": pattern.edited,
        "fields": pattern.fields,
    }
