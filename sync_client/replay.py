"""Replaying a pattern's commands on its confirmed state, through the `decide` and `evolve` of the server."""

from collections.abc import Mapping
from dataclasses import replace

from command_api.decisions.commands import EditPattern, PatternCommand
from command_api.decisions.decide import decide
from command_api.decisions.library import LibraryView, wanted_name
from command_api.decisions.merging import Rule, rule_of
from command_api.decisions.refusals import Accepted, Conflict, Decision
from events.errors import ImpossibleEvent
from events.pattern import Pattern, PatternEvent, PatternState, evolve
from events.team import Team
from sync_client.local_pattern import DRAFTS, Entry, LocalPattern, Stage, verdict_of

Holders = Mapping[str, str]
"""By name key, the confirmed live pattern that holds it and is not about to give it up."""

_TEAM = Team(version=1, name="")


class Replay:
    """One pass over a pattern's entries, in order."""

    def __init__(self, state: LocalPattern, holders: Holders) -> None:
        self.view = state.confirmed
        self._holders = holders
        self._done: dict[int, int] = {}
        self._sure: set[int] = set()
        self._held: set[int] = set()

    def take(self, entry: Entry) -> Entry:
        """The entry as it stands after its turn."""
        if entry.stage is Stage.DONE:
            self._done[entry.position] = entry.version or 0
        elif entry.stage in DRAFTS or entry.after in self._held:
            self._held.add(entry.position)
        elif entry.stage is Stage.ACCEPTED:
            self.view = forced(self.view, entry.command)
        else:
            return self._replayed(entry)
        return entry

    def _replayed(self, entry: Entry) -> Entry:
        decision = decide_on(self.view, entry.command, self._holders)
        if entry.after is None and _may_merge(decision):
            # The server has the base. Until it has merged, the user sees, and edits, what is confirmed.
            return entry
        if isinstance(decision, Accepted):
            self.view = evolved(self.view, decision)
            if self._may_judge(entry):
                self._sure.add(entry.position)
            return _freed(entry, self._done)
        if not self._may_judge(entry):
            return entry
        self._held.add(entry.position)
        verdict = verdict_of(decision)
        return replace(entry, stage=verdict.stage, verdict=verdict)

    def _may_judge(self, entry: Entry) -> bool:
        """Whether all that the entry stands on is known."""
        if entry.stage is not Stage.PENDING:
            return False
        return entry.after is None or entry.after in self._sure or entry.after in self._done


def _may_merge(decision: Decision) -> bool:
    """Whether the server may merge what cannot be decided here, where the base's values are not known."""
    return isinstance(decision, Conflict) and all(
        rule_of(field) is not Rule.VALUE for field in decision.fields
    )


def _freed(entry: Entry, done: Mapping[int, int]) -> Entry:
    """An entry that needs to wait no more: what it builds on is confirmed, and is its base now."""
    if entry.after is None or entry.after not in done:
        return entry
    return replace(entry, after=None, command=based_on(entry.command, done[entry.after]))


def decide_on(view: PatternState, command: PatternCommand, holders: Holders) -> Decision:
    """What would become of a command on this view."""
    name = wanted_name(command, view)
    holder = holders.get(name) if name is not None else None
    return decide(LibraryView(team=_TEAM, pattern=view, name_holder=holder), command)


def forced(view: PatternState, command: PatternCommand) -> PatternState:
    """The state after a command that the server is known to have accepted on it."""
    bare = replace(view, field_versions={}) if isinstance(view, Pattern) else view
    decision = decide_on(bare, based_on(command, view.version), {})
    if not isinstance(decision, Accepted):
        return view
    return _with_foreign(evolved(bare, decision), view)


def evolved(view: PatternState, decision: Accepted) -> PatternState:
    """The view after an accepted command of our own: no foreign change."""
    state = view
    for event in decision.events:
        if not isinstance(event, PatternEvent):
            raise ImpossibleEvent(f"{type(event).__name__} on a pattern")
        state = evolve(state, event)
    return _with_foreign(state, view)


def _with_foreign(state: PatternState, source: PatternState) -> PatternState:
    if not isinstance(state, Pattern):
        return state
    foreign = source.field_versions if isinstance(source, Pattern) else {}
    return replace(state, field_versions=foreign)


def based_on(command: PatternCommand, version: int) -> PatternCommand:
    """The command with another base version, if it has one."""
    return replace(command, base_version=max(1, version)) if isinstance(command, EditPattern) else command
