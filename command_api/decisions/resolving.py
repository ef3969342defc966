"""Decisions on conflicts: what somebody decided becomes the fields' values, once, on what they had seen."""

from dataclasses import dataclass, field

from command_api.decisions.commands import AbandonConflict, ResolveConflict
from command_api.decisions.library import LibraryView
from command_api.decisions.limits import MAX_MERGED_TEXTS, archived, name_refused, within_limits
from command_api.decisions.merging import ABSENT, UNKNOWN, Clash, Value, merge_field, same_value
from command_api.decisions.refusals import Accepted, Decision, Refusal, Rejected
from events.merge_rules import Rule
from events.pattern import (
    Choice,
    ConflictField,
    Pattern,
    PatternConflictAbandoned,
    PatternConflictDetected,
    PatternConflictResolved,
    Present,
    edited,
)

_MOST_NAMED = 20


@dataclass(slots=True)
class _Resolution:
    """The choice for each field, and the new values of those that change; or why there is none."""

    choices: dict[str, Choice] = field(default_factory=dict)
    values: dict[str, Value] = field(default_factory=dict)
    undecided: list[str] = field(default_factory=list)
    moved: list[str] = field(default_factory=list)


def abandon(pattern: Pattern, command: AbandonConflict) -> Decision:
    """What becomes of the wish to give an edit in conflict up."""
    if command.conflict_id not in pattern.conflicts:
        return _not_open()
    return Accepted(events=(PatternConflictAbandoned(conflict_id=command.conflict_id),))


def resolve(library: LibraryView, pattern: Pattern, command: ResolveConflict) -> Decision:
    """What becomes of a decision on a conflict."""
    detected_at = pattern.conflicts.get(command.conflict_id)
    if detected_at is None:
        return _not_open()
    if pattern.status == "archived":
        return archived()
    if library.conflict is None:
        raise TypeError("a conflict is resolved with what it is about")
    if others := sorted(command.take.keys() - library.conflict.fields.keys()):
        detail = f"take: the conflict is not about {', '.join(others)[:1000]}"
        return Rejected(code=Refusal.INVALID_FIELD, detail=detail)
    base_version = command.base_version or detected_at
    resolution = _resolution(library.conflict, pattern, command, base_version)
    if refusal := _refusal(resolution, pattern):
        return refusal
    event = PatternConflictResolved(
        conflict_id=command.conflict_id,
        base_version=base_version,
        choices=resolution.choices,
        set={name: value for name, value in resolution.values.items() if value is not ABSENT},
        remove=[name for name, value in resolution.values.items() if value is ABSENT],
    )
    after = edited(pattern, event)
    return name_refused(library.name_holder, pattern, after) or within_limits(after, event)


def _resolution(
    conflict: PatternConflictDetected, pattern: Pattern, command: ResolveConflict, base_version: int
) -> _Resolution:
    result = _Resolution()
    too_many = sum(sides.rule is Rule.TEXT for sides in conflict.fields.values()) > MAX_MERGED_TEXTS
    for name in dict.fromkeys([*conflict.fields, *command.set, *command.remove]):
        sides = conflict.fields.get(name)
        choice = _choice(name, sides, command)
        value: Value = pattern.fields.get(name, ABSENT)
        match choice:
            case "mine" if sides is not None:
                value = _value(sides.mine)
            case "new":
                value = command.set.get(name, ABSENT)
            case "merged" if sides is not None:
                try:
                    value = _merged(sides, value, conflict, too_many=too_many)
                except Clash:
                    # Somebody has changed it since, or nobody knows what it was.
                    choice = command.rest
                    value = _value(sides.mine) if choice == "mine" else value
            case _:
                pass
        if choice is None:
            result.undecided.append(name)
            continue
        result.choices[name] = choice
        _put(result, name, value, pattern, base_version)
    return result


def _choice(name: str, sides: ConflictField | None, command: ResolveConflict) -> Choice | None:
    if name in command.set or name in command.remove:
        return "new"
    if name in command.take:
        return command.take[name]
    return "merged" if sides is not None and not sides.clashes else command.rest


def _merged(
    sides: ConflictField, theirs: Value, conflict: PatternConflictDetected, *, too_many: bool
) -> Value:
    base = _value(sides.base) if conflict.base_known else UNKNOWN
    strictly = too_many and sides.rule is Rule.TEXT
    return merge_field(sides.rule, base, theirs, _value(sides.mine), strictly=strictly)


def _put(result: _Resolution, name: str, value: Value, pattern: Pattern, base_version: int) -> None:
    """A value that changes something; not over one that its author has not seen."""
    if same_value(value, pattern.fields.get(name, ABSENT)):
        return
    if result.choices[name] != "merged" and pattern.field_versions.get(name, 0) > base_version:
        result.moved.append(name)
    result.values[name] = value


def _value(side: Present | None) -> Value:
    return ABSENT if side is None else side.value


def _refusal(resolution: _Resolution, pattern: Pattern) -> Rejected | None:
    if resolution.undecided:
        return _refused(Refusal.UNRESOLVED_FIELDS, "not decided", resolution.undecided, pattern)
    if resolution.moved:
        what = "changed since the version that was decided on"
        return _refused(Refusal.STALE_RESOLUTION, what, resolution.moved, pattern)
    return None


def _refused(code: Refusal, what: str, fields: list[str], pattern: Pattern) -> Rejected:
    """A small command can be about many fields with long names: not all of them are told."""
    return Rejected(
        code=code,
        detail=f"{what}: {', '.join(fields)[:1000]}",
        about={"current_version": pattern.version, "fields": fields[:_MOST_NAMED]},
    )


def _not_open() -> Rejected:
    detail = "the pattern has no open conflict of this id: it was resolved or abandoned, or never was"
    return Rejected(code=Refusal.CONFLICT_NOT_OPEN, detail=detail)
