"""What a command becomes: the events of one decision, or of every command of a batch, or a refusal."""

from collections.abc import Iterator
from contextlib import contextmanager

from command_api.decider.bases import Progress, seen_by
from command_api.decider.memory import WorkingSet
from command_api.decider.needs import NotAtHand, lacking, wanted_by_rest
from command_api.decider.requests import Request
from command_api.decider.stream_writer import Change, settle
from command_api.decisions.commands import (
    BasedCommand,
    Batch,
    PatternCommand,
    ResolveConflict,
    SingleCommand,
)
from command_api.decisions.decide import decide
from command_api.decisions.library import LibraryView, needs_merging, stream_for, texts_to_merge, wanted_name
from command_api.decisions.limits import MAX_EVENT_BYTES, too_large
from command_api.decisions.refusals import Accepted, Conflict, Refusal, Rejected
from events.organization import STREAM as ORGANIZATION_STREAM
from events.organization import NoOrganization, Organization
from events.pattern import DeletedPattern, NoPattern, Pattern, PatternConflictDetected, PatternState
from events.registry import write
from events.stream import evolve
from events.team import STREAM as TEAM_STREAM
from events.team import NoTeam, Team

MOST_MERGES = 64
"""Commands of one batch whose fields somebody else has changed, too: each needs a base, maybe a large one."""
MOST_TEXTS = 64
"""Texts that they merge: each may take 20 ms."""


def changes_of(request: Request, working: WorkingSet) -> list[Change] | Rejected:
    """The events that a command becomes, or why it is refused; the working set is as before."""
    if isinstance(request.command, Batch):
        return _all_or_nothing(request, working)
    (command,), team_id = request.commands, request.team_id
    decision = decide(view_of(team_id, command, working, Progress()), command, request.sender)
    match decision:
        case Accepted():
            return [(stream_for(command), event) for event in decision.events]
        case Conflict():
            return [(stream_for(command), decision.event)]
        case Rejected():
            return decision


def _all_or_nothing(request: Request, working: WorkingSet) -> list[Change] | Rejected:
    """Each command is decided on what those before it did; then all of that is undone, to be appended."""
    team_id, commands = request.team_id, request.commands
    changes: list[Change] = []
    progress = Progress()
    merges = texts = 0
    with _undone(working):
        for index, command in enumerate(commands):
            if merges > MOST_MERGES or texts > MOST_TEXTS:
                return _too_many_merges()
            try:
                view = view_of(team_id, command, working, progress)
            except NotAtHand:
                # With what the rest needs: all so far is decided anew after each reading.
                raise NotAtHand(wanted_by_rest(team_id, commands[index:], working, progress)) from None
            merges += needs_merging(view, command)
            texts += texts_to_merge(view, command)
            decision = decide(view, command, request.sender)
            if not isinstance(decision, Accepted):
                return _batch_refused(index, decision)
            stream = stream_for(command)
            for event in decision.events:
                after = evolve(working.state((team_id, stream)), event)
                settle(working, team_id=team_id, stream=stream, event=event, after=after)
                changes.append((stream, event))
                if isinstance(command, PatternCommand):
                    progress.began.setdefault(command.pattern_id, after.version - 1)
                    progress.reached[command.pattern_id] = after.version
    if merges > MOST_MERGES or texts > MOST_TEXTS:
        return _too_many_merges()
    if sum(len(write(event)) for _, event in changes) > MAX_EVENT_BYTES:
        return too_large(f"the events of a batch take at most {MAX_EVENT_BYTES} bytes")
    return changes


def _too_many_merges() -> Rejected:
    most = f"{MOST_MERGES} of its commands, and {MOST_TEXTS} texts,"
    return too_large(f"a batch merges at most {most} with other edits of the same fields")


@contextmanager
def _undone(working: WorkingSet) -> Iterator[None]:
    before = working.draft.copy()
    try:
        yield
    finally:
        working.draft = before


def _batch_refused(index: int, decision: Conflict | Rejected) -> Rejected:
    if isinstance(decision, Conflict):
        fields = list(decision.fields)
        decision = Rejected(
            code=Refusal.EDIT_CONFLICT,
            detail=f"changed since the base version: {', '.join(fields)[:1000]}",
            about={"conflict": {"current_version": decision.current_version, "fields": fields}},
        )
    failed = {"index": index, "code": str(decision.code), "detail": decision.detail, **decision.about}
    detail = f"command {index} of the batch: {decision.code}: {decision.detail}"
    return Rejected(code=Refusal.BATCH_REFUSED, detail=detail, about={"failed": failed})


def view_of(team_id: str, command: SingleCommand, working: WorkingSet, progress: Progress) -> LibraryView:
    """All that the decision on a command depends on; raise `NotAtHand` where some of it was not read yet."""
    if lack := lacking(team_id, command, working, progress):
        raise NotAtHand(lack)
    team_state = working.state((team_id, TEAM_STREAM))
    organization = working.state((team_id, ORGANIZATION_STREAM))
    pattern = _pattern_of(team_id, command, working)
    conflict = _conflict_of(team_id, command, pattern, working)
    name = wanted_name(command, pattern, conflict)
    return LibraryView(
        team=team_state if isinstance(team_state, Team) else NoTeam(),
        organization=organization if isinstance(organization, Organization) else NoOrganization(),
        pattern=pattern,
        name_holder=None if name is None else working.name_holder((team_id, name)),
        seen=seen_by(team_id, command, working, progress) if isinstance(command, BasedCommand) else None,
        conflict=conflict,
    )


def _pattern_of(team_id: str, command: SingleCommand, working: WorkingSet) -> PatternState:
    state = working.state((team_id, stream_for(command)))
    return state if isinstance(state, Pattern | DeletedPattern) else NoPattern()


def _conflict_of(
    team_id: str, command: SingleCommand, pattern: PatternState, working: WorkingSet
) -> PatternConflictDetected | None:
    if not isinstance(command, ResolveConflict) or not isinstance(pattern, Pattern):
        return None
    version = pattern.conflicts.get(command.conflict_id)
    if version is None:
        return None
    event = working.event_at((team_id, stream_for(command), version))
    return event if isinstance(event, PatternConflictDetected) else None
