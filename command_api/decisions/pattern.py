"""Decisions on patterns."""

from typing import assert_never

from command_api.decisions.authority import unknown_team
from command_api.decisions.commands import (
    AbandonConflict,
    ArchivePattern,
    BasedCommand,
    DeletePattern,
    EditPattern,
    PatternCommand,
    RecordPattern,
    ResolveConflict,
    RestorePattern,
    StatusCommand,
)
from command_api.decisions.editing import edit
from command_api.decisions.library import LibraryView
from command_api.decisions.limits import name_taken, within_limits
from command_api.decisions.refusals import Accepted, Decision, Refusal, Rejected
from command_api.decisions.resolving import abandon, resolve
from command_api.decisions.seen import Seen
from events.pattern import (
    DeletedPattern,
    NoPattern,
    Pattern,
    PatternArchived,
    PatternDeleted,
    PatternRecorded,
    PatternRestored,
    recorded,
)
from events.team import NoTeam


def decide(library: LibraryView, command: PatternCommand) -> Decision:
    """What becomes of a command that changes a pattern."""
    if isinstance(library.team, NoTeam):
        return unknown_team()
    if isinstance(command, RecordPattern):
        return _record(library, command)
    if isinstance(library.seen, Rejected):
        return library.seen
    match library.pattern:
        case NoPattern():
            return Rejected(code=Refusal.UNKNOWN_PATTERN, detail="the library has no such pattern")
        case DeletedPattern():
            return Rejected(code=Refusal.PATTERN_DELETED, detail="the pattern was deleted")
        case Pattern() as pattern:
            return _bad_base(pattern, command) or _change(library, pattern, command)
        case _:
            assert_never(library.pattern)


def _record(library: LibraryView, command: RecordPattern) -> Decision:
    if not isinstance(library.pattern, NoPattern):
        return Rejected(code=Refusal.PATTERN_EXISTS, detail="a pattern was recorded under this id before")
    if library.name_holder is not None:
        return name_taken(library.name_holder)
    event = PatternRecorded(fields=command.fields)
    return within_limits(recorded(event), event)


def _bad_base(pattern: Pattern, command: PatternCommand) -> Rejected | None:
    """The refusal of a command whose base never was."""
    version = command.base_version if isinstance(command, BasedCommand | ResolveConflict) else None
    if version is not None and version > pattern.version:
        detail = f"base_version {version} never existed; the newest is {pattern.version}"
        return Rejected(code=Refusal.UNKNOWN_BASE_VERSION, detail=detail)
    return None


def _change(
    library: LibraryView,
    pattern: Pattern,
    command: BasedCommand | ResolveConflict | AbandonConflict,
) -> Decision:
    match command:
        case EditPattern():
            return edit(library, pattern, command)
        case ResolveConflict():
            return resolve(library, pattern, command)
        case AbandonConflict():
            return abandon(pattern, command)
        case ArchivePattern() | RestorePattern() | DeletePattern():
            return _changed_since(library.seen, pattern) or _change_status(library, pattern, command)
        case _:
            assert_never(command)


def _changed_since(seen: Seen | Rejected | None, pattern: Pattern) -> Rejected | None:
    """The refusal of a command that was to work only on what its sender had seen."""
    if not isinstance(seen, Seen) or seen.base.covers(pattern.version):
        return None
    return Rejected(
        code=Refusal.PATTERN_CHANGED,
        detail=f"somebody else has changed the pattern since; it is at version {pattern.version}",
        about={"current_version": pattern.version},
    )


def _change_status(library: LibraryView, pattern: Pattern, command: StatusCommand) -> Decision:
    match command:
        case ArchivePattern():
            if pattern.status == "archived":
                return Rejected(code=Refusal.PATTERN_ARCHIVED, detail="the pattern is archived already")
            return Accepted(events=(PatternArchived(),))
        case RestorePattern():
            if pattern.status == "live":
                return Rejected(code=Refusal.PATTERN_NOT_ARCHIVED, detail="the pattern is not archived")
            if library.name_holder is not None:
                return name_taken(library.name_holder)
            return Accepted(events=(PatternRestored(),))
        case DeletePattern():
            return Accepted(events=(PatternDeleted(),))
        case _:
            assert_never(command)
