"""Replaying a pattern's commands on its confirmed state, through the `decide` and `evolve` of the server."""

from collections.abc import Mapping
from dataclasses import replace

from command_api.decisions.commands import AbandonConflict, EditPattern, PatternCommand
from command_api.decisions.library import LibraryView, wanted_name
from command_api.decisions.pattern import decide
from command_api.decisions.refusals import Accepted, Decision, Rejected
from command_api.decisions.seen import Base, Seen
from events.errors import ImpossibleEvent
from events.pattern import PatternEvent, PatternState, evolve
from events.team import Team
from sync_client.line import based_on, effect_in
from sync_client.local_pattern import DRAFTS, Entry, LocalPattern, Stage, verdict_of

Holders = Mapping[str, str]
"""By name key, the confirmed live pattern that holds it and is not about to give it up."""

_TEAM = Team(version=1, name="")


class Replay:
    """One pass over a pattern's entries, in order."""

    def __init__(self, state: LocalPattern, holders: Holders) -> None:
        self.view = state.confirmed
        self._state = state
        self._holders = holders
        self._sure = {entry.position for entry in state.entries if entry.stage is Stage.DONE}
        self._held: set[int] = set()
        self._hidden: set[int] = set()

    def take(self, entry: Entry) -> Entry:
        """The entry as it stands after its turn."""
        if entry.stage is Stage.DONE or isinstance(entry.command, AbandonConflict):
            return entry
        if entry.stage in DRAFTS:
            self._held.add(entry.position)
            return entry
        if entry.after in self._held:
            self._held.add(entry.position)
            return self._hide(entry)
        effect = effect_in(self._state.entries, entry)
        hidden = entry.hidden or entry.after in self._hidden
        if entry.stage is Stage.ACCEPTED and not hidden:
            return self._shown(entry, effect, forced(self.view, effect))
        # In the view, the author has seen all that is there.
        seen = based_on(effect, self.view.version)
        decision = self._decide(self._state.confirmed, effect) if hidden else self._decide(self.view, seen)
        if isinstance(decision, Rejected) and self._may_judge(entry):
            self._held.add(entry.position)
            verdict = verdict_of(decision)
            return replace(entry, stage=verdict.stage, verdict=verdict)
        if hidden:
            return self._hide(entry)
        if self._may_judge(entry):
            self._sure.add(entry.position)
        return self._shown(
            entry, effect, evolved(self.view, decision) if isinstance(decision, Accepted) else self.view
        )

    def _shown(self, entry: Entry, effect: PatternCommand, view: PatternState) -> Entry:
        """The entry, hidden if the view does not show what it writes."""
        if view is self.view and isinstance(effect, EditPattern):
            return self._hide(entry)
        self.view = view
        return entry

    def _hide(self, entry: Entry) -> Entry:
        self._hidden.add(entry.position)
        return entry if entry.hidden else replace(entry, hidden=True)

    def _decide(self, view: PatternState, effect: PatternCommand) -> Decision:
        return decide_on(view, effect, self._holders)

    def _may_judge(self, entry: Entry) -> bool:
        """Whether all that the entry stands on is known."""
        if entry.stage is not Stage.PENDING:
            return False
        return entry.after is None or entry.after in self._sure


def decide_on(view: PatternState, effect: PatternCommand, holders: Holders) -> Decision:
    """What would become of a command on this view."""
    name = wanted_name(effect, view)
    holder = holders.get(name) if name is not None else None
    base = Base(version=effect.base_version or 1) if isinstance(effect, EditPattern) else None
    seen = None if base is None else Seen(base=base, fields=None)
    return decide(LibraryView(team=_TEAM, pattern=view, name_holder=holder, seen=seen), effect)


def forced(view: PatternState, effect: PatternCommand) -> PatternState:
    """The state after a command that the server is known to have accepted on it."""
    decision = decide_on(view, based_on(effect, view.version), {})
    return evolved(view, decision) if isinstance(decision, Accepted) else view


def evolved(view: PatternState, decision: Accepted) -> PatternState:
    """The view after an accepted command."""
    state = view
    for event in decision.events:
        if not isinstance(event, PatternEvent):
            raise ImpossibleEvent(f"{type(event).__name__} on a pattern")
        state = evolve(state, event)
    return state
