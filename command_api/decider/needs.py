"""What decisions need beyond the states: values of bases, conflicts, and names that only the states tell."""

from collections.abc import Sequence

from command_api.decider.bases import Progress, base_of
from command_api.decider.memory import WorkingSet
from command_api.decider.requests import Request
from command_api.decider.snapshot import StreamKey, VersionKey, Wanted
from command_api.decisions.commands import (
    BasedCommand,
    EditPattern,
    ResolveConflict,
    RestorePattern,
    SingleCommand,
)
from command_api.decisions.library import stream_for, unseen, wanted_name
from command_api.decisions.seen import Base, Seen
from events.pattern import Pattern, PatternConflictDetected

MOST_BASES = 64
"""Versions of patterns, and events, that are read at a time: each may be large."""


class NotAtHand(Exception):
    """A decision needs what was not read yet."""

    def __init__(self, wanted: Wanted) -> None:
        super().__init__("not read yet")
        self.wanted = wanted


def wanted_next(requests: Sequence[Request], working: WorkingSet) -> Wanted:
    """What these requests are known to lack, as far as that is read at a time."""
    wanted = Wanted()
    for request in requests:
        _add_lacking(wanted, request.team_id, request.commands, working, Progress())
    return wanted


def wanted_by_rest(
    team_id: str, commands: Sequence[SingleCommand], working: WorkingSet, progress: Progress
) -> Wanted:
    """The same of the commands that are left of a batch."""
    wanted = Wanted()
    _add_lacking(wanted, team_id, commands, working, progress)
    return wanted


def _add_lacking(
    wanted: Wanted, team_id: str, commands: Sequence[SingleCommand], working: WorkingSet, progress: Progress
) -> None:
    for command in commands:
        if len(wanted.versions) + len(wanted.events) >= MOST_BASES:
            return
        wanted.add(lacking(team_id, command, working, progress))


def lacking(team_id: str, command: SingleCommand, working: WorkingSet, progress: Progress) -> Wanted:
    """What the decision on a command needs and the working set neither has nor was asked for."""
    key = (team_id, stream_for(command))
    state = working.state(key)
    wanted = Wanted()
    base = base_of(team_id, command, working, progress) if isinstance(command, BasedCommand) else None
    if isinstance(base, range):
        for version in base:
            wanted.events |= _unread(working, (*key, version))
    if not isinstance(state, Pattern):
        return wanted
    conflict: PatternConflictDetected | None = None
    if isinstance(command, ResolveConflict) and command.conflict_id in state.conflicts:
        at = (*key, state.conflicts[command.conflict_id])
        event = working.event_at(at)
        conflict = event if isinstance(event, PatternConflictDetected) else None
        wanted.events |= _unread(working, at)
    if isinstance(command, RestorePattern | ResolveConflict):
        name = wanted_name(command, state, conflict)
        if name is not None and not working.knows_name((team_id, name)):
            wanted.names.add((team_id, name))
    if isinstance(base, Base) and isinstance(command, EditPattern) and base.version < state.version:
        _add_values(wanted, key, command, state, base, working)
    return wanted


def _add_values(
    wanted: Wanted,
    key: StreamKey,
    command: EditPattern,
    state: Pattern,
    base: Base,
    working: WorkingSet,
) -> None:
    """Versions that tell what the sender had seen, where that is not as it is now."""
    for name in unseen((*command.set, *command.remove), state, Seen(base=base, fields=None)):
        if name in base.own:
            wanted.events |= _unread(working, (*key, base.own[name]))
        elif not working.knows_fields(at := (*key, base.version)):
            wanted.versions.add(at)


def _unread(working: WorkingSet, at: VersionKey) -> set[VersionKey]:
    return set() if working.knows_event(at) else {at}
