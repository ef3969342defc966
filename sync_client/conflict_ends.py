"""What becomes of a draft, and of what it held up, when the server has accepted the end of its conflict."""

from collections.abc import Sequence
from dataclasses import replace

from command_api.decisions.commands import DeletePattern, ResolveConflict
from command_api.decisions.refusals import Refusal
from sync_client.line import (
    base_version_of,
    based_on,
    builders,
    changed,
    changed_since,
    effect_in,
    fields_of,
    merged_by_server,
)
from sync_client.local_pattern import Entry, LocalPattern, Stage, Verdict

_TANGLED = Verdict(
    code=Refusal.DEPENDS_ON_REFUSED,
    detail="it builds on a resolved conflict and on fields that changed besides: make the edit again",
)


def ended(state: LocalPattern, end: Entry) -> LocalPattern:
    """The state with a draft done, and a way on for what built on it.

    Its author had seen the draft's fields as they were edited, and has decided on them since: what needs
    those goes on from the resolution. What needs none of them goes on from below the draft. What needs both
    those and other fields that changed meanwhile was made on a pattern that never was, and is a draft.
    """
    draft = next((entry for entry in state.entries if entry.position == end.resolves), None)
    if draft is None:
        return state
    moved = {draft.position: replace(draft, stage=Stage.DONE)}
    held = [entry for entry in state.entries if entry.position in builders(state.entries, {draft.position})]
    waiting = [entry for entry in held if entry.stage is Stage.PENDING]
    on_top = [entry for entry in held if entry.after == draft.position]
    if not _needs_it(state, waiting, draft, end):
        moved |= {entry.position: replace(entry, after=draft.after) for entry in on_top}
    elif _is_enough(state, waiting, draft, end):
        moved |= {entry.position: _after(entry, end) for entry in waiting}
        moved |= {
            entry.position: replace(moved.get(entry.position, entry), after=end.position) for entry in on_top
        }
    else:
        moved |= {
            entry.position: replace(entry, stage=_TANGLED.stage, verdict=_TANGLED)
            for entry in on_top
            if entry.stage is Stage.PENDING
        }
    return replace(state, entries=changed(state.entries, moved))


def _needs_it(state: LocalPattern, waiting: Sequence[Entry], draft: Entry, end: Entry) -> bool:
    if not isinstance(end.command, ResolveConflict):
        return False
    return any(fields_of(draft.command) & _needed(state, entry, draft, end) for entry in waiting)


def _is_enough(state: LocalPattern, waiting: Sequence[Entry], draft: Entry, end: Entry) -> bool:
    """Whether all that the commands need is as they saw it, or was decided with the draft before them."""
    edited, named = fields_of(draft.command), _named(end)
    unseen = merged_by_server(state.entries, end) | (named - edited)
    return not any(
        _needed(state, entry, draft, end)
        & (unseen | changed_since(state.confirmed, entry.command) - (named & edited))
        for entry in waiting
    )


def _needed(state: LocalPattern, entry: Entry, draft: Entry, end: Entry) -> set[str]:
    """The fields that a command changes; to delete a pattern, one has to have seen all of it."""
    if isinstance(entry.command, DeletePattern):
        return changed_since(state.confirmed, entry.command) | fields_of(draft.command) | _named(end)
    return fields_of(effect_in(state.entries, entry))


def _named(end: Entry) -> set[str]:
    command = end.command
    return {*command.take, *command.set, *command.remove} if isinstance(command, ResolveConflict) else set()


def _after(entry: Entry, end: Entry) -> Entry:
    return replace(entry, command=based_on(entry.command, base_version_of(end.command) or 1))
