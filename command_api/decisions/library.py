"""What a decision may look at: the command's stream, its team, and who holds the name that it wants."""

from collections.abc import Iterable
from dataclasses import dataclass

from command_api.decisions.commands import (
    EditPattern,
    PatternCommand,
    RecordPattern,
    ResolveConflict,
    RestorePattern,
    SingleCommand,
)
from command_api.decisions.merging import ABSENT, same_value
from command_api.decisions.organization_commands import OrganizationCommand
from command_api.decisions.refusals import Rejected
from command_api.decisions.seen import Seen
from events.merge_rules import Rule, rule_of
from events.organization import STREAM as ORGANIZATION_STREAM
from events.organization import NoOrganization, OrganizationState
from events.pattern import (
    NoPattern,
    Pattern,
    PatternConflictDetected,
    PatternState,
    name_key,
    stream_of,
)
from events.team import STREAM as TEAM_STREAM
from events.team import NoTeam, Team, TeamState


@dataclass(frozen=True, kw_only=True, slots=True)
class LibraryView:
    """The part of a library that one command's decision depends on."""

    team: TeamState = NoTeam()
    organization: OrganizationState = NoOrganization()
    pattern: PatternState = NoPattern()
    name_holder: str | None = None
    """The id of the live pattern that holds the name which the command wants, if any."""
    seen: Seen | Rejected | None = None
    """What the command's sender had seen, or why its base is none; None for a command without a base."""
    conflict: PatternConflictDetected | None = None
    """The open conflict that the command names."""


def stream_for(command: SingleCommand) -> str:
    """The stream that a command wants to change."""
    if isinstance(command, PatternCommand):
        return stream_of(command.pattern_id)
    return ORGANIZATION_STREAM if isinstance(command, OrganizationCommand) else TEAM_STREAM


def wanted_name(
    command: SingleCommand, pattern: PatternState, conflict: PatternConflictDetected | None = None
) -> str | None:
    """The name key that the command's pattern will hold if it is accepted; None if it takes none."""
    if isinstance(command, RecordPattern):
        return name_key(command.fields["name"])
    if isinstance(command, EditPattern | ResolveConflict) and "name" in command.set:
        return name_key(command.set["name"])
    if isinstance(command, RestorePattern) and isinstance(pattern, Pattern):
        return name_key(pattern.name)
    if isinstance(command, ResolveConflict) and conflict is not None and "name" in conflict.fields:
        mine = conflict.fields["name"].mine
        return None if mine is None else name_key(mine.value)
    return None


def needs_merging(library: LibraryView, command: SingleCommand) -> bool:
    """Whether a command edits fields that its sender has not seen as they are now, or resolves a conflict."""
    return library.conflict is not None or bool(_unseen_in(library, command))


def texts_to_merge(library: LibraryView, command: SingleCommand) -> int:
    """How many texts it may have to merge with what others wrote: each may take long."""
    if library.conflict is not None:
        return sum(
            sides.rule is Rule.TEXT and not sides.clashes for sides in library.conflict.fields.values()
        )
    rules = library.team.rules if isinstance(library.team, Team) else {}
    return sum(rule_of(name, rules) is Rule.TEXT for name in _unseen_in(library, command))


def _unseen_in(library: LibraryView, command: SingleCommand) -> list[str]:
    pattern, seen = library.pattern, library.seen
    if not (isinstance(command, EditPattern) and isinstance(pattern, Pattern) and isinstance(seen, Seen)):
        return []
    return unseen((*command.set, *command.remove), pattern, seen)


def unseen(names: Iterable[str], pattern: Pattern, seen: Seen) -> list[str]:
    """Those of the fields that the sender has not seen as they are now, in order."""
    changed = pattern.field_versions
    return sorted(
        name
        for name in names
        if changed.get(name, 0) > seen.base.version and not _is_own(name, pattern, seen)
    )


def _is_own(name: str, pattern: Pattern, seen: Seen) -> bool:
    """Whether what is there is what the sender wrote, word for word."""
    return seen.base.own.get(name) == pattern.field_versions[name] and same_value(
        seen.value(name), pattern.fields.get(name, ABSENT)
    )
