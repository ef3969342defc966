"""The decision on an edit: clean, merged, overwritten or in conflict, field by field and as a whole."""

from dataclasses import dataclass, field

from command_api.decisions.commands import EditPattern
from command_api.decisions.library import LibraryView, unseen
from command_api.decisions.limits import (
    MAX_MERGED_TEXTS,
    MAX_OPEN_CONFLICTS,
    MAX_OWN_FIELDS,
    archived,
    event_too_large,
    name_refused,
    pattern_too_large,
    too_large,
    within_limits,
)
from command_api.decisions.merging import ABSENT, UNKNOWN, Clash, Value, merge_field, same_value
from command_api.decisions.refusals import Conflict, Decision, Refusal, Rejected
from command_api.decisions.seen import Seen
from events.json_text import same
from events.merge_rules import Policy, Rule, rule_of, stricter
from events.pattern import (
    ConflictField,
    MergedField,
    Pattern,
    PatternConflictDetected,
    PatternEdited,
    Present,
    edited,
)
from events.team import Team


@dataclass(slots=True)
class _Outcome:
    """What became of the fields that somebody else had changed: values, and fields without one."""

    merged: dict[str, Value] = field(default_factory=dict)
    untouched: list[str] = field(default_factory=list)
    overwrote: list[str] = field(default_factory=list)
    clashes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Edit:
    """An edit, what its author had seen, and how the library merges."""

    command: EditPattern
    pattern: Pattern
    seen: Seen
    policy: Policy
    rules: dict[str, Rule]

    @property
    def names(self) -> list[str]:
        return [*self.command.set, *self.command.remove]

    def theirs(self, name: str) -> Value:
        return self.pattern.fields.get(name, ABSENT)

    def mine(self, name: str) -> Value:
        return self.command.set.get(name, ABSENT)


def edit(library: LibraryView, pattern: Pattern, command: EditPattern) -> Decision:
    """What becomes of an edit of a pattern that is there."""
    if pattern.status == "archived":
        return archived()
    one = _edit_of(library, pattern, command)
    if len(one.seen.base.own) > MAX_OWN_FIELDS:
        detail = (
            f"others came between own edits of over {MAX_OWN_FIELDS} fields: pull, and edit what is there"
        )
        return too_large(detail)
    outcome = _merged(one)
    if outcome.clashes:
        return _in_conflict(one, outcome.clashes)
    event = _event(one, outcome)
    after = edited(pattern, event)
    return name_refused(library.name_holder, pattern, after) or within_limits(after, event)


def _edit_of(library: LibraryView, pattern: Pattern, command: EditPattern) -> _Edit:
    if not isinstance(library.team, Team) or not isinstance(library.seen, Seen):
        raise TypeError("an edit is decided with its team and its base")
    return _Edit(
        command=command,
        pattern=pattern,
        seen=library.seen,
        policy=stricter(library.team.policy, command.policy),
        rules={name: rule_of(name, library.team.rules) for name in (*command.set, *command.remove)},
    )


def _merged(one: _Edit) -> _Outcome:
    outcome = _Outcome()
    names = unseen(one.names, one.pattern, one.seen)
    too_many = sum(one.rules[name] is Rule.TEXT for name in names) > MAX_MERGED_TEXTS
    for name in names:
        strictly = one.policy is Policy.REJECT or (too_many and one.rules[name] is Rule.TEXT)
        base, theirs, mine = one.seen.value(name), one.theirs(name), one.mine(name)
        if same_value(base, mine):
            outcome.untouched.append(name)
            continue
        try:
            outcome.merged[name] = merge_field(one.rules[name], base, theirs, mine, strictly=strictly)
        except Clash:
            # What may well merge is not overwritten because its base is not at hand.
            overwrites = one.policy is Policy.LAST_WRITER_WINS and base is not UNKNOWN
            (outcome.overwrote if overwrites else outcome.clashes).append(name)
    return outcome


def _event(one: _Edit, outcome: _Outcome) -> PatternEdited:
    """The event: the values as they are from now on, and beside a merged one what its editor wrote."""
    command = one.command
    values: dict[str, Value] = {**command.set, **dict.fromkeys(command.remove, ABSENT), **outcome.merged}
    for name in outcome.untouched:
        del values[name]
    return PatternEdited(
        base_version=one.seen.base.version,
        own=dict(one.seen.base.own),
        set={name: value for name, value in values.items() if value is not ABSENT},
        remove=[name for name, value in values.items() if value is ABSENT],
        merged={
            name: MergedField(rule=one.rules[name], mine=command.set[name])
            for name, value in outcome.merged.items()
            if name in command.set and not same(value, command.set[name])
        },
        overwrote=outcome.overwrote,
    )


def _in_conflict(one: _Edit, clashes: list[str]) -> Conflict | Rejected:
    current = one.pattern.version
    if one.policy is Policy.REJECT:
        return Rejected(
            code=Refusal.STALE_EDIT,
            detail=f"changed since the base, and not to be merged: {', '.join(clashes)[:1000]}",
            about={"conflict": {"current_version": current, "fields": clashes}},
        )
    if refusal := _never_possible(one):
        return refusal
    if len(one.pattern.conflicts) >= MAX_OPEN_CONFLICTS:
        detail = f"the pattern has {MAX_OPEN_CONFLICTS} open conflicts: resolve or abandon some"
        return Rejected(code=Refusal.TOO_MANY_CONFLICTS, detail=detail)
    bases = {name: one.theirs(name) for name in one.names}
    bases |= {name: one.seen.value(name) for name in unseen(one.names, one.pattern, one.seen)}
    event = PatternConflictDetected(
        conflict_id=one.command.command_id,
        base_version=one.seen.base.version,
        own=dict(one.seen.base.own),
        base_known=UNKNOWN not in bases.values(),
        fields={
            name: ConflictField(
                rule=one.rules[name],
                clashes=name in clashes,
                base=_present(base),
                theirs=_present(one.theirs(name)),
                mine=_present(one.mine(name)),
            )
            for name, base in bases.items()
        },
    )
    return event_too_large(event) or Conflict(current_version=current, event=event)


def _never_possible(one: _Edit) -> Rejected | None:
    """The refusal of an edit that would be too large whatever becomes of its conflict."""
    fields = {name: value for name, value in one.pattern.fields.items() if name not in one.command.remove}
    names = one.pattern.field_versions.keys() | {*one.names}
    return pattern_too_large({**fields, **one.command.set}, len(names))


def _present(value: Value) -> Present | None:
    return None if value is ABSENT or value is UNKNOWN else Present(value=value)
