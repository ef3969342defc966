"""Patterns: the facts, the state, and how a fact changes the state."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Literal, assert_never

from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass as checked_dataclass

from events.errors import ImpossibleEvent as ImpossibleEvent  # noqa: PLC0414  (readers of patterns meet it here)
from events.json_text import Json
from events.merge_rules import Rule
from events.shapes import Uuid

_CLOSED = ConfigDict(extra="forbid", defer_build=True)

Version = Annotated[int, Field(ge=1, strict=True)]

# ---------------------------------------------------------------- events


@checked_dataclass(frozen=True, kw_only=True, slots=True, config=_CLOSED)
class PatternRecorded:
    """A pattern was added to its team's library."""

    fields: dict[str, Json]


@checked_dataclass(frozen=True, kw_only=True, slots=True, config=_CLOSED)
class MergedField:
    """What the editor wrote into a field that somebody else had changed, and the rule that merged both."""

    rule: Rule
    mine: Json


@checked_dataclass(frozen=True, kw_only=True, slots=True, config=_CLOSED)
class PatternEdited:
    """Fields were set or removed, by an editor who had seen the pattern at `base_version`.

    `own`: fields that the editor had written after that themselves, and at which version. `set` holds the
    values as they are from now on; `merged`, by field, what the editor wrote where that is another value.
    `overwrote`: fields that somebody else had changed, unseen, and that are now what this editor wrote.
    """

    base_version: Version
    own: dict[str, Version]
    set: dict[str, Json]
    remove: list[str]
    merged: dict[str, MergedField]
    overwrote: list[str]


@checked_dataclass(frozen=True, kw_only=True, slots=True, config=_CLOSED)
class Present:
    """A value that is there, which may be null."""

    value: Json


@checked_dataclass(frozen=True, kw_only=True, slots=True, config=_CLOSED)
class ConflictField:
    """A field of an edit in conflict, as each side has it (None: not there), and its rule.

    Only what `clashes` stands in the way of the edit. The rest of it was held up with that.
    """

    rule: Rule
    clashes: bool
    base: Present | None
    theirs: Present | None
    mine: Present | None


@checked_dataclass(frozen=True, kw_only=True, slots=True, config=_CLOSED)
class PatternConflictDetected:
    """An edit could not be merged, and changed nothing. It waits to be resolved or abandoned.

    `conflict_id` is the id of the command that edited, `base_version` and `own` are as in an edit. Where
    `base_known` is false the base was not at hand, and `base` says nothing.
    """

    conflict_id: Uuid
    base_version: Version
    own: dict[str, Version]
    base_known: bool
    fields: dict[str, ConflictField]


Choice = Literal["mine", "theirs", "new", "merged"]


@checked_dataclass(frozen=True, kw_only=True, slots=True, config=_CLOSED)
class PatternConflictResolved:
    """Somebody who had seen the pattern at `base_version` decided what becomes of an edit in conflict.

    `choices` tells by field where the value comes from; `set` and `remove` are what changed by it.
    """

    conflict_id: Uuid
    base_version: Version
    choices: dict[str, Choice]
    set: dict[str, Json]
    remove: list[str]


@checked_dataclass(frozen=True, kw_only=True, slots=True, config=_CLOSED)
class PatternConflictAbandoned:
    """The edit in conflict was given up."""

    conflict_id: Uuid


@checked_dataclass(frozen=True, kw_only=True, slots=True, config=_CLOSED)
class PatternArchived:
    """The pattern was put away; it keeps its fields, and its name is free for others."""


@checked_dataclass(frozen=True, kw_only=True, slots=True, config=_CLOSED)
class PatternRestored:
    """An archived pattern is live again."""


@checked_dataclass(frozen=True, kw_only=True, slots=True, config=_CLOSED)
class PatternDeleted:
    """The pattern is gone for good; a tombstone remains."""


PatternEvent = (
    PatternRecorded
    | PatternEdited
    | PatternConflictDetected
    | PatternConflictResolved
    | PatternConflictAbandoned
    | PatternArchived
    | PatternRestored
    | PatternDeleted
)

# ---------------------------------------------------------------- state

Status = Literal["live", "archived"]


@dataclass(frozen=True, kw_only=True, slots=True)
class NoPattern:
    """Nothing was recorded in the stream."""

    version: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Pattern:
    """A live or archived pattern.

    `field_versions` tells which version last set or removed each field, `conflicts` by id at which version
    each conflict was detected that is open.
    """

    version: int
    status: Status
    fields: Mapping[str, Json]
    field_versions: Mapping[str, int]
    conflicts: Mapping[str, int] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The pattern's name, unique in its library among live patterns."""
        name: str = self.fields["name"]
        return name


@dataclass(frozen=True, kw_only=True, slots=True)
class DeletedPattern:
    """A tombstone."""

    version: int


PatternState = NoPattern | Pattern | DeletedPattern

# ---------------------------------------------------------------- evolve


def evolve(state: PatternState, event: PatternEvent) -> Pattern | DeletedPattern:
    """The state after one more event; raise `ImpossibleEvent` when it cannot follow."""
    match event:
        case PatternRecorded():
            if not isinstance(state, NoPattern):
                raise ImpossibleEvent("recorded twice")
            return recorded(event)
        case PatternEdited():
            return edited(_existing(state, event), event)
        case PatternConflictDetected():
            return _in_conflict(_existing(state, event), event)
        case PatternConflictResolved():
            return edited(_without(_existing(state, event), event.conflict_id), event)
        case PatternConflictAbandoned():
            return _next(_without(_existing(state, event), event.conflict_id))
        case PatternArchived():
            return replace(_next(_existing(state, event)), status="archived")
        case PatternRestored():
            return replace(_next(_existing(state, event)), status="live")
        case PatternDeleted():
            return DeletedPattern(version=_existing(state, event).version + 1)
        case _:
            assert_never(event)


def recorded(event: PatternRecorded) -> Pattern:
    """The pattern as it was recorded."""
    return Pattern(
        version=1, status="live", fields=_named(event.fields), field_versions=dict.fromkeys(event.fields, 1)
    )


def edited(state: Pattern, event: PatternEdited | PatternConflictResolved) -> Pattern:
    """The pattern after its fields were set and removed."""
    version = state.version + 1
    fields = {**state.fields, **event.set}
    for name in event.remove:
        fields.pop(name, None)
    touched = dict.fromkeys([*event.set, *event.remove], version)
    return replace(
        state, version=version, fields=_named(fields), field_versions={**state.field_versions, **touched}
    )


def _in_conflict(state: Pattern, event: PatternConflictDetected) -> Pattern:
    if event.conflict_id in state.conflicts:
        raise ImpossibleEvent("the same conflict twice")
    after = _next(state)
    return replace(after, conflicts={**state.conflicts, event.conflict_id: after.version})


def _without(state: Pattern, conflict_id: str) -> Pattern:
    if conflict_id not in state.conflicts:
        raise ImpossibleEvent("the end of a conflict that is not open")
    left = {open_id: version for open_id, version in state.conflicts.items() if open_id != conflict_id}
    return replace(state, conflicts=left)


def _next(state: Pattern) -> Pattern:
    return replace(state, version=state.version + 1)


def _named(fields: Mapping[str, Json]) -> Mapping[str, Json]:
    if not isinstance(fields.get("name"), str):
        raise ImpossibleEvent("a pattern without a name")
    return fields


def _existing(state: PatternState, event: PatternEvent) -> Pattern:
    if not isinstance(state, Pattern):
        raise ImpossibleEvent(f"{type(event).__name__} on {type(state).__name__}")
    return state


# ---------------------------------------------------------------- names and streams

_STREAM_PREFIX = "patterns/"


def name_key(name: str) -> str:
    """What makes two names the same: their NFC form, so that a name typed on two systems collides."""
    return unicodedata.normalize("NFC", name)


def taken_name(state: PatternState) -> str | None:
    """The name key that a pattern holds in its library: only live patterns hold one."""
    if isinstance(state, Pattern) and state.status == "live":
        return name_key(state.name)
    return None


def stream_of(pattern_id: str) -> str:
    """The stream of a pattern, as events name it."""
    return _STREAM_PREFIX + pattern_id


def pattern_id_of(stream: str) -> str | None:
    """The pattern that a stream belongs to; None for a stream of another kind."""
    return stream.removeprefix(_STREAM_PREFIX) if stream.startswith(_STREAM_PREFIX) else None
