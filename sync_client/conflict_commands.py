"""Commands on drafts and conflicts. They work offline; how a conflict ends is for the server to accept."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, get_args

import typer

from events.json_text import dump
from sync_client.console import counted, exit_with, say, say_json
from sync_client.drafts import Draft, Drafts
from sync_client.edits import Editor
from sync_client.options import HERE, AsJson, Directory, Removes, Sets, SetsJson, fields_from, pair_from
from sync_client.resolving import Decisions, Side
from sync_client.surroundings import utc_now
from sync_client.workspace import find_workspace

Number = Annotated[int, typer.Argument(metavar="N", help="The draft's number in patternlog conflicts.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    for command in (conflicts, resolve, abandon):
        app.command()(command)


def conflicts(
    drop: Annotated[
        int | None,
        typer.Option("--drop", help="Forget the draft of this number, here alone: a conflict stays open."),
    ] = None,
    as_json: AsJson = False,
    directory: Directory = HERE,
) -> None:
    """The drafts: commands that cannot be applied, each with its reason and both sides' fields."""
    workspace = find_workspace(directory)
    if drop is not None:
        with workspace.writing() as replica, replica.transaction():
            Drafts(replica.connection).drop(drop)
    with workspace.reading() as replica:
        drafts = list(Drafts(replica.connection).all())
    if as_json:
        say_json([asdict(draft) for draft in drafts])
    else:
        for draft in drafts:
            _say_draft(draft)
    exit_with(len(drafts))


def resolve(
    number: Number,
    mine: Annotated[
        bool | None, typer.Option("--mine/--theirs", help="Whose side to take of fields that are not named.")
    ] = None,
    take: Annotated[
        list[str] | None, typer.Option("--take", metavar="FIELD=mine|theirs", help="Take a side of a field.")
    ] = None,
    given: Sets = None,
    given_json: SetsJson = None,
    remove: Removes = None,
    directory: Directory = HERE,
) -> None:
    """Decide on a conflict, field by field. What is not in conflict is merged."""
    decisions = Decisions(
        rest=None if mine is None else "mine" if mine else "theirs",
        take=_sides(take or ()),
        set=fields_from(given, given_json),
        remove=remove or (),
    )
    with find_workspace(directory).writing() as replica, replica.transaction():
        Editor(replica).resolve(number, decisions, utc_now())
    say(f"resolved {number}; patternlog push sends it")


def abandon(number: Number, directory: Directory = HERE) -> None:
    """Give an edit in conflict up, for everybody."""
    with find_workspace(directory).writing() as replica, replica.transaction():
        Editor(replica).abandon(number, utc_now())
    say(f"abandoned {number}; patternlog push sends it")


def _sides(options: Sequence[str]) -> dict[str, Side]:
    sides: dict[str, Side] = {}
    for field, text in map(pair_from, options):
        side = next((one for one in get_args(Side) if one == text), None)
        if side is None:
            raise typer.BadParameter(f"{field}: take mine or theirs, not {text!r}")
        sides[field] = side
    return sides


def _say_draft(draft: Draft) -> None:
    held = f"; holds up {counted(draft.holds_up, 'command')}" if draft.holds_up else ""
    resolved = "; being resolved" if draft.being_resolved else ""
    what = f"{draft.number}  {draft.command_type} of {draft.name!r}"
    say(f"{what}: {draft.detail} [{draft.code}]{held}{resolved}")
    if draft.conflict_id is not None:
        say(f"   conflict {draft.conflict_id}")
    for field, mine in draft.mine.items():
        say(f"   {field}")
        say(f"     mine    {dump(mine).decode()}")
        if field in draft.theirs:
            say(f"     theirs  {dump(draft.theirs[field]).decode()}")
