"""Patterns: the facts, the state, and how a fact changes the state."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal, assert_never

from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass as checked_dataclass

from events.errors import ImpossibleEvent as ImpossibleEvent  # noqa: PLC0414  (readers of patterns meet it here)
from events.json_text import Json

_CLOSED = ConfigDict(extra="forbid")

# ---------------------------------------------------------------- events


@checked_dataclass(frozen=True, kw_only=True, slots=True, config=_CLOSED)
class PatternRecorded:
    """A pattern was added to its team's library."""

    fields: dict[str, Json]


@checked_dataclass(frozen=True, kw_only=True, slots=True, config=_CLOSED)
class MergedField:
    """What the editor wrote into a field that somebody else had changed, and the rule that merged both."""

    rule: Literal["value", "text", "tags", "counters"]
    mine: Json


@checked_dataclass(frozen=True, kw_only=True, slots=True, config=_CLOSED)
class PatternEdited:
    """Fields were set or removed. `base_version` is what the editor saw, so a merge can be told from it.

    `set` holds the values as they are from now on; `merged`, by field, what the editor wrote where that is
    another value.
    """

    base_version: Annotated[int, Field(ge=1, strict=True)]
    set: dict[str, Json]
    remove: list[str]
    merged: dict[str, MergedField]


@checked_dataclass(frozen=True, kw_only=True, slots=True, config=_CLOSED)
class PatternArchived:
    """The pattern was put away; it keeps its fields, and its name is free for others."""


@checked_dataclass(frozen=True, kw_only=True, slots=True, config=_CLOSED)
class PatternRestored:
    """An archived pattern is live again."""


@checked_dataclass(frozen=True, kw_only=True, slots=True, config=_CLOSED)
class PatternDeleted:
    """The pattern is gone for good; a tombstone remains."""


PatternEvent = PatternRecorded | PatternEdited | PatternArchived | PatternRestored | PatternDeleted

# ---------------------------------------------------------------- state

Status = Literal["live", "archived"]


@dataclass(frozen=True, kw_only=True, slots=True)
class NoPattern:
    """Nothing was recorded in the stream."""

    version: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Pattern:
    """A live or archived pattern; `field_versions` tells which version last set or removed each field."""

    version: int
    status: Status
    fields: Mapping[str, Json]
    field_versions: Mapping[str, int]

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
            return _recorded(state, event)
        case PatternEdited():
            return edited(_existing(state, event), event)
        case PatternArchived():
            return _with_status(_existing(state, event), "archived")
        case PatternRestored():
            return _with_status(_existing(state, event), "live")
        case PatternDeleted():
            return DeletedPattern(version=_existing(state, event).version + 1)
        case _:
            assert_never(event)


def _recorded(state: PatternState, event: PatternRecorded) -> Pattern:
    if not isinstance(state, NoPattern):
        raise ImpossibleEvent("recorded twice")
    return Pattern(
        version=1, status="live", fields=_named(event.fields), field_versions=dict.fromkeys(event.fields, 1)
    )


def edited(state: Pattern, event: PatternEdited) -> Pattern:
    """The pattern after an edit."""
    version = state.version + 1
    fields = {**state.fields, **event.set}
    for name in event.remove:
        fields.pop(name, None)
    touched = dict.fromkeys([*event.set, *event.remove], version)
    return Pattern(
        version=version,
        status=state.status,
        fields=_named(fields),
        field_versions={**state.field_versions, **touched},
    )


def _with_status(state: Pattern, status: Status) -> Pattern:
    return Pattern(
        version=state.version + 1, status=status, fields=state.fields, field_versions=state.field_versions
    )


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
