"""Decisions on patterns."""

from collections.abc import Mapping
from typing import assert_never

from command_api.decisions.commands import (
    ArchivePattern,
    DeletePattern,
    EditPattern,
    PatternCommand,
    RecordPattern,
    RestorePattern,
)
from command_api.decisions.library import LibraryView
from command_api.decisions.refusals import Accepted, Conflict, Decision, Refusal, Rejected
from events.json_text import Json, dump
from events.pattern import (
    DeletedPattern,
    NoPattern,
    Pattern,
    PatternArchived,
    PatternDeleted,
    PatternEdited,
    PatternRecorded,
    PatternRestored,
    edited,
)
from events.team import NoTeam

MAX_PATTERN_BYTES = 1024 * 1024
MAX_PATTERN_FIELDS = 1000


def decide(library: LibraryView, command: PatternCommand) -> Decision:
    """What becomes of a command that changes a pattern."""
    if isinstance(library.team, NoTeam):
        return Rejected(code=Refusal.UNKNOWN_TEAM, detail="nobody has created this team")
    if isinstance(command, RecordPattern):
        return _record(library, command)
    match library.pattern:
        case NoPattern():
            return Rejected(code=Refusal.UNKNOWN_PATTERN, detail="the library has no such pattern")
        case DeletedPattern():
            return Rejected(code=Refusal.PATTERN_DELETED, detail="the pattern was deleted")
        case Pattern() as pattern:
            return _change(library, pattern, command)
        case _:
            assert_never(library.pattern)


def _record(library: LibraryView, command: RecordPattern) -> Decision:
    if not isinstance(library.pattern, NoPattern):
        return Rejected(code=Refusal.PATTERN_EXISTS, detail="a pattern was recorded under this id before")
    if library.name_holder is not None:
        return _name_taken(library.name_holder)
    event = PatternRecorded(fields=command.fields)
    return _too_large(command.fields, len(command.fields)) or Accepted(events=(event,))


def _change(
    library: LibraryView,
    pattern: Pattern,
    command: EditPattern | ArchivePattern | RestorePattern | DeletePattern,
) -> Decision:
    match command:
        case EditPattern():
            return _edit(library, pattern, command)
        case ArchivePattern():
            if pattern.status == "archived":
                return Rejected(code=Refusal.PATTERN_ARCHIVED, detail="the pattern is archived already")
            return Accepted(events=(PatternArchived(),))
        case RestorePattern():
            if pattern.status == "live":
                return Rejected(code=Refusal.PATTERN_NOT_ARCHIVED, detail="the pattern is not archived")
            if library.name_holder is not None:
                return _name_taken(library.name_holder)
            return Accepted(events=(PatternRestored(),))
        case DeletePattern():
            return Accepted(events=(PatternDeleted(),))
        case _:
            assert_never(command)


def _edit(library: LibraryView, pattern: Pattern, command: EditPattern) -> Decision:
    if pattern.status == "archived":
        return Rejected(
            code=Refusal.PATTERN_ARCHIVED, detail="an archived pattern is restored before it is edited"
        )
    if command.base_version > pattern.version:
        detail = f"base_version {command.base_version} never existed; the newest is {pattern.version}"
        return Rejected(code=Refusal.UNKNOWN_BASE_VERSION, detail=detail)
    touched = sorted({*command.set, *command.remove})
    overlap = tuple(name for name in touched if pattern.field_versions.get(name, 0) > command.base_version)
    if overlap:
        return Conflict(current_version=pattern.version, fields=overlap)
    if library.name_holder not in (None, command.pattern_id):
        return _name_taken(library.name_holder)
    event = PatternEdited(base_version=command.base_version, set=command.set, remove=command.remove)
    after = edited(pattern, event)
    merged = command.base_version < pattern.version
    return _too_large(after.fields, len(after.field_versions)) or Accepted(events=(event,), merged=merged)


def _name_taken(holder: str | None) -> Rejected:
    return Rejected(code=Refusal.NAME_TAKEN, detail=f"the live pattern {holder} has this name")


def _too_large(fields: Mapping[str, Json], names: int) -> Rejected | None:
    """The names of removed fields count too: the state keeps them, and would grow without end."""
    if names > MAX_PATTERN_FIELDS:
        detail = f"a pattern has at most {MAX_PATTERN_FIELDS} fields, those that it once had included"
        return Rejected(code=Refusal.TOO_LARGE, detail=detail)
    if len(dump(fields)) > MAX_PATTERN_BYTES:
        detail = f"a pattern has at most {MAX_PATTERN_BYTES} bytes of JSON"
        return Rejected(code=Refusal.TOO_LARGE, detail=detail)
    return None
