"""Which commands the user sees under the view, and what those who made them had seen.

    confirmed ──C1──C2──►  view          a new command builds on C2 (`after`), and will be based on it

The visible commands that wait are one line, each building on the one before. The server takes the author of
C2 to have seen the version that C1 names under what C1 wrote, field by field, and merges by that: so it must
be what the view showed. When somebody else's change comes, either the line moves on to it, as it may as long
as nothing of it was sent and it touches other fields; or the line is hidden. What is hidden goes out as it
is, and new commands are made on what is confirmed, as if it were somebody else's.
"""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import replace

from command_api.decisions.commands import (
    AbandonConflict,
    DeletePattern,
    EditPattern,
    PatternCommand,
    RecordPattern,
    ResolveConflict,
)
from events.pattern import Pattern, PatternState
from sync_client.local_pattern import DRAFTS, Entry, LocalPattern, Stage
from sync_client.resolving import effect_of, left_to_merge

WRITING = (RecordPattern, EditPattern, ResolveConflict)
"""Commands that write fields, on which others can be based by their ids."""
BASED = (EditPattern, DeletePattern)
"""Commands that can be based on another by its id."""


def base_version_of(command: PatternCommand) -> int | None:
    """The version that a command says its author saw; None if it says nothing."""
    if isinstance(command, EditPattern | DeletePattern | ResolveConflict):
        return command.base_version
    return None


def based_on(command: PatternCommand, version: int) -> PatternCommand:
    """The command with another base version, if it has one."""
    if not isinstance(command, EditPattern | DeletePattern | ResolveConflict):
        return command
    same = command.base_version in (None, max(1, version))
    return command if same else replace(command, base_version=max(1, version))


def effect_in(entries: Iterable[Entry], entry: Entry) -> PatternCommand:
    """What an entry does to the fields."""
    return effect_of(entry.command, _draft_of(entries, entry))


def merged_by_server(entries: Iterable[Entry], entry: Entry) -> set[str]:
    """The fields of which only the server can tell what an entry makes of them."""
    return left_to_merge(entry.command, _draft_of(entries, entry))


def fields_of(effect: PatternCommand) -> set[str]:
    """The fields that a command writes."""
    if isinstance(effect, RecordPattern):
        return set(effect.fields)
    return {*effect.set, *effect.remove} if isinstance(effect, EditPattern) else set()


def needed_by(entries: Iterable[Entry], entry: Entry) -> set[str]:
    """The fields that have to be as the author saw them: those that it writes, or decided to leave."""
    taken = entry.command.take if isinstance(entry.command, ResolveConflict) else ()
    return fields_of(effect_in(entries, entry)) | set(taken)


def changed_since(confirmed: PatternState, command: PatternCommand) -> set[str]:
    """The fields that have changed since what a command is based on."""
    versions = confirmed.field_versions if isinstance(confirmed, Pattern) else {}
    base = base_version_of(command)
    return set() if base is None else {name for name, version in versions.items() if version > base}


def touched(entries: Iterable[Entry], entry: Entry, confirmed: PatternState) -> set[str]:
    """The fields that have changed and that an entry needs as they were; a deletion needs them all."""
    changed = changed_since(confirmed, entry.command)
    return changed if isinstance(entry.command, DeletePattern) else changed & needed_by(entries, entry)


# ---------------------------------------------------------------- what builds on what


def held_up(entries: Iterable[Entry]) -> set[int]:
    """Drafts, and what builds on them."""
    entries = tuple(entries)
    return builders(entries, {entry.position for entry in entries if entry.stage in DRAFTS})


def builders(entries: Sequence[Entry], found: Set[int]) -> set[int]:
    """Entries, and whatever builds on them."""
    grown = found | {entry.position for entry in entries if entry.after in found}
    return set(found) if len(grown) == len(found) else builders(entries, grown)


def line_of(entries: Sequence[Entry]) -> list[Entry]:
    """The visible commands that wait, in order."""
    return [entry for entry in _waiting(entries) if not entry.hidden]


def last_of(state: LocalPattern) -> int | None:
    """What a new command builds on."""
    line = line_of(state.entries)
    return line[-1].position if line else None


def _waiting(entries: Sequence[Entry]) -> list[Entry]:
    held = held_up(entries)
    return [
        entry
        for entry in entries
        if entry.stage is not Stage.DONE
        and entry.position not in held
        and not isinstance(entry.command, AbandonConflict)
    ]


def _draft_of(entries: Iterable[Entry], entry: Entry) -> PatternCommand | None:
    if entry.resolves is None:
        return None
    return next((one.command for one in entries if one.position == entry.resolves), None)


# ---------------------------------------------------------------- keeping in step


def in_step(state: LocalPattern, foreign: Set[str]) -> LocalPattern:
    """The state with its line moved on to what is confirmed, or hidden, now that these fields changed."""
    line = line_of(state.entries)
    needed = {name for entry in line for name in needed_by(state.entries, entry)}
    version = state.confirmed.version
    if _is_ours(line) and needed.isdisjoint(foreign):
        moved = {entry.position: replace(entry, command=based_on(entry.command, version)) for entry in line}
    elif foreign:
        moved = {entry.position: replace(entry, hidden=True) for entry in line}
    else:
        moved = {}
    confirmed = noted(state.confirmed, foreign, version)
    return replace(state, confirmed=confirmed, entries=freed(changed(state.entries, moved)))


def noted(confirmed: PatternState, fields: Set[str], version: int) -> PatternState:
    """The confirmed state, in which these fields changed at a version, or later."""
    if not isinstance(confirmed, Pattern) or not fields:
        return confirmed
    versions = confirmed.field_versions
    later = {name: max(version, versions.get(name, 0)) for name in fields}
    return replace(confirmed, field_versions={**versions, **later})


def shown_again(state: LocalPattern) -> LocalPattern:
    """The state with hidden commands visible, where nothing else waits and nobody touched their fields."""
    waiting, entries = _waiting(state.entries), state.entries
    done = {entry.position for entry in entries if entry.stage is Stage.DONE}
    befores = [None, *(entry.position for entry in waiting)]
    follows = all(
        entry.after == before or (before is None and entry.after in done)
        for entry, before in zip(waiting, befores, strict=False)
    )
    untouched = not any(touched(entries, entry, state.confirmed) for entry in waiting)
    if not (waiting and follows and untouched and _is_ours(waiting)):
        return state
    if any(merged_by_server(entries, entry) for entry in waiting):
        return state
    shown = {entry.position: replace(entry, hidden=False) for entry in waiting if entry.hidden}
    return in_step(replace(state, entries=changed(entries, shown)), frozenset()) if shown else state


def _is_ours(line: Sequence[Entry]) -> bool:
    """Whether the bases of a line's commands are still ours to say, and no matter but for what they write."""
    based = [entry for entry in line if isinstance(entry.command, WRITING)]
    return all(entry.stage is Stage.PENDING for entry in based) and not any(
        isinstance(entry.command, DeletePattern) for entry in line
    )


def freed(entries: Sequence[Entry]) -> tuple[Entry, ...]:
    """Commands whose base version holds all that they build on need to name nothing else."""
    done = {entry.position: entry.version or 0 for entry in entries if entry.stage is Stage.DONE}
    return tuple(
        replace(entry, after=None)
        if entry.stage is Stage.PENDING
        and entry.after in done
        and (base_version_of(entry.command) or 0) >= done[entry.after]
        else entry
        for entry in entries
    )


def changed(entries: Iterable[Entry], by_position: Mapping[int, Entry]) -> tuple[Entry, ...]:
    """The entries with some replaced; what is as it was stays the same object."""
    return tuple(
        entry if by_position.get(entry.position, entry) == entry else by_position[entry.position]
        for entry in entries
    )
