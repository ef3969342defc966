"""What a decision may look at: the command's stream, its team, and who holds the name that it wants."""

from collections.abc import Mapping
from dataclasses import dataclass

from command_api.decisions.commands import Command, EditPattern, PatternCommand, RecordPattern, RestorePattern
from events.json_text import Json
from events.pattern import NoPattern, Pattern, PatternState, name_key, stream_of
from events.team import STREAM as TEAM_STREAM
from events.team import NoTeam, TeamState


@dataclass(frozen=True, kw_only=True, slots=True)
class LibraryView:
    """The part of a library that one command's decision depends on."""

    team: TeamState = NoTeam()
    pattern: PatternState = NoPattern()
    name_holder: str | None = None
    """The id of the live pattern that holds the name which the command wants, if any."""
    base: Mapping[str, Json] | None = None
    """The pattern's fields at the version that an edit is based on; None where they are not known."""


def stream_for(command: Command) -> str:
    """The stream that a command wants to change."""
    return stream_of(command.pattern_id) if isinstance(command, PatternCommand) else TEAM_STREAM


def wanted_name(command: Command, pattern: PatternState) -> str | None:
    """The name key that the command's pattern will hold if it is accepted; None if it takes none."""
    if isinstance(command, RecordPattern):
        return name_key(command.fields["name"])
    if isinstance(command, EditPattern) and "name" in command.set:
        return name_key(command.set["name"])
    if isinstance(command, RestorePattern) and isinstance(pattern, Pattern):
        return name_key(pattern.name)
    return None


def overlap_of(command: Command, pattern: PatternState) -> list[str]:
    """The fields of an edit that changed since its base version, in order; to merge them takes the base."""
    if not isinstance(command, EditPattern) or not isinstance(pattern, Pattern):
        return []
    changed = pattern.field_versions
    return sorted(
        name for name in {*command.set, *command.remove} if changed.get(name, 0) > command.base_version
    )
