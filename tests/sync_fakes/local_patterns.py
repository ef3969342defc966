"""Patterns with local edits, told shortly, and what a merge made of them."""

from typing import Any

from command_api.decisions.commands import PatternCommand, command_from
from events.json_text import Json
from events.pattern import Pattern, PatternState
from sync_client.line import base_version_of
from sync_client.local_pattern import DRAFTS, Entry, LocalPattern, MergeResult, Stage, Verdict

ID = "6f1c2a8e-0000-4000-8000-000000000001"
OTHER = "6f1c2a8e-0000-4000-8000-000000000002"
NO_ID = "00000000-0000-7000-8000-000000000000"


def command(kind: str, **members: Json) -> PatternCommand:
    made = command_from({"command_id": NO_ID, "type": kind, "pattern_id": ID, **members})
    assert isinstance(made, PatternCommand)
    return made


def edit(base_version: int, *remove: str, **given: Json) -> PatternCommand:
    return command("edit_pattern", base_version=base_version, set=given, remove=list(remove))


def delete(base_version: int) -> PatternCommand:
    return command("delete_pattern", base_version=base_version)


def record(**fields: Json) -> PatternCommand:
    return command("record_pattern", fields=fields)


def server_state(version: int, **fields: Json) -> Pattern:
    return Pattern(version=version, status="live", fields={"name": "n", **fields}, field_versions={})


def local(confirmed: PatternState, *entries: Entry) -> LocalPattern:
    return LocalPattern(confirmed=confirmed, entries=entries, view=confirmed)


def in_conflict(position: int, edited: PatternCommand) -> Entry:
    """A draft of an edit that the server noted as a conflict."""
    verdict = Verdict(code="edit_conflict", detail="changed")
    return Entry(position=position, command=edited, stage=Stage.CONFLICT, verdict=verdict, hidden=True)


def hidden(result: MergeResult) -> list[int]:
    """Those that wait and are not in the view."""
    settled = (Stage.DONE, *DRAFTS)
    return [entry.position for entry in result.state.entries if entry.hidden and entry.stage not in settled]


def stages(result: MergeResult) -> list[str]:
    return [entry.stage.value for entry in result.state.entries]


def base_of(entry: Entry) -> int | None:
    return base_version_of(entry.command)


def seen(result: MergeResult) -> Any:
    assert isinstance(result.state.view, Pattern)
    return {name: value for name, value in result.state.view.fields.items() if name != "name"}
