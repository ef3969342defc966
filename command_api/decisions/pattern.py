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
from command_api.decisions.library import LibraryView, overlap_of
from command_api.decisions.merging import ABSENT, UNKNOWN, Clash, Value, merge_field, rule_of
from command_api.decisions.refusals import Accepted, Conflict, Decision, Refusal, Rejected
from events.json_text import Json, dump, same
from events.pattern import (
    DeletedPattern,
    MergedField,
    NoPattern,
    Pattern,
    PatternArchived,
    PatternDeleted,
    PatternEdited,
    PatternRecorded,
    PatternRestored,
    edited,
)
from events.registry import write
from events.team import NoTeam

MAX_PATTERN_BYTES = 1024 * 1024
MAX_PATTERN_FIELDS = 1000
MAX_EVENT_BYTES = 2 * MAX_PATTERN_BYTES
"""Of an event's data: what an edit merged to, and what its editor wrote."""


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
    merges, clashes = _merged(library, pattern, command)
    if clashes:
        return Conflict(current_version=pattern.version, fields=tuple(clashes))
    event = _edited(command, merges)
    after = edited(pattern, event)
    # A merge may leave the pattern the name that it has.
    if library.name_holder not in (None, command.pattern_id) and after.name != pattern.name:
        return _name_taken(library.name_holder)
    if len(write(event)) > MAX_EVENT_BYTES:
        return Rejected(code=Refusal.TOO_LARGE, detail=f"merged, it takes more than {MAX_EVENT_BYTES} bytes")
    merged = command.base_version < pattern.version
    return _too_large(after.fields, len(after.field_versions)) or Accepted(events=(event,), merged=merged)


def _merged(
    library: LibraryView, pattern: Pattern, command: EditPattern
) -> tuple[dict[str, Value], list[str]]:
    """The values that the overlapping fields merge to, and the fields that do not."""
    merges, clashes = {}, []
    for name in overlap_of(command, pattern):
        theirs, mine = pattern.fields.get(name, ABSENT), command.set.get(name, ABSENT)
        # What is not known is neither side's value, and goes together with equal changes alone.
        base = UNKNOWN if library.base is None else library.base.get(name, ABSENT)
        try:
            merges[name] = merge_field(rule_of(name), base, theirs, mine)
        except Clash:
            clashes.append(name)
    return merges, clashes


def _edited(command: EditPattern, merges: Mapping[str, Value]) -> PatternEdited:
    """The event: the values as they are from now on, and beside a merged one what its editor wrote."""
    values: dict[str, Value] = {**command.set, **dict.fromkeys(command.remove, ABSENT), **merges}
    return PatternEdited(
        base_version=command.base_version,
        set={name: value for name, value in values.items() if value is not ABSENT},
        remove=[name for name, value in values.items() if value is ABSENT],
        merged={
            name: MergedField(rule=rule_of(name).value, mine=command.set[name])
            for name, value in merges.items()
            if name in command.set and not same(value, command.set[name])
        },
    )


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
