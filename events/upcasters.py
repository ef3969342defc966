"""How events of older versions are read: one step per version, applied until the newest shape is reached."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated

from pydantic import ConfigDict, Field, TypeAdapter
from pydantic.dataclasses import dataclass as checked_dataclass

from events.errors import MalformedRecord
from events.json_text import Json
from events.pattern import MergedField

# ---------------------------------------------------------------- the shapes of older versions


@checked_dataclass(frozen=True, kw_only=True, slots=True, config=ConfigDict(extra="forbid"))
class PatternEditedV1:
    """Fields were set or removed; edits of one field were not merged."""

    base_version: Annotated[int, Field(ge=1, strict=True)]
    set: dict[str, Json]
    remove: list[str]


@checked_dataclass(frozen=True, kw_only=True, slots=True, config=ConfigDict(extra="forbid"))
class PatternEditedV2:
    """Fields were set or removed; it did not tell of the editor's own edits, nor of what was overwritten."""

    base_version: Annotated[int, Field(ge=1, strict=True)]
    set: dict[str, Json]
    remove: list[str]
    merged: dict[str, MergedField]


@checked_dataclass(frozen=True, kw_only=True, slots=True, config=ConfigDict(extra="forbid"))
class TeamCreatedV1:
    """A team came into being, when anybody could write to it."""

    name: str


OlderType = type[PatternEditedV1] | type[PatternEditedV2] | type[TeamCreatedV1]

OLDER_TYPES: Mapping[str, OlderType] = {
    "pattern.edited.v1": PatternEditedV1,
    "pattern.edited.v2": PatternEditedV2,
    "team.created.v1": TeamCreatedV1,
}
"""By type, for readers of a log that was begun before the newest version."""

_PATTERN_EDITED_V1 = TypeAdapter(PatternEditedV1)
_PATTERN_EDITED_V2 = TypeAdapter(PatternEditedV2)
_TEAM_CREATED_V1 = TypeAdapter(TeamCreatedV1)


def _with_merged(data: dict[str, Json]) -> dict[str, Json]:
    _PATTERN_EDITED_V1.validate_python(data)
    return {**data, "merged": {}}


def _with_own(data: dict[str, Json]) -> dict[str, Json]:
    _PATTERN_EDITED_V2.validate_python(data)
    return {**data, "own": {}, "overwrote": []}


def _with_admin(data: dict[str, Json]) -> dict[str, Json]:
    _TEAM_CREATED_V1.validate_python(data)
    return {**data, "admin": None, "organization_id": None}


# ---------------------------------------------------------------- steps


@dataclass(frozen=True, slots=True)
class Upcaster:
    """One step: the type that it leads to, and how the data changes on the way."""

    to: str
    change: Callable[[dict[str, Json]], dict[str, Json]]


Upcasters = Mapping[str, Upcaster]

UPCASTERS: Upcasters = {
    "pattern.edited.v1": Upcaster("pattern.edited.v2", _with_merged),
    "pattern.edited.v2": Upcaster("pattern.edited.v3", _with_own),
    "team.created.v1": Upcaster("team.created.v2", _with_admin),
}
"""By the type that a step starts from."""


def upcast(event_type: str, data: dict[str, Json], upcasters: Upcasters) -> tuple[str, dict[str, Json]]:
    """The newest type and shape of an event's data; raise `MalformedRecord` when a step cannot take it."""
    while (step := upcasters.get(event_type)) is not None:
        try:
            event_type, data = step.to, step.change(data)
        except Exception as error:
            raise MalformedRecord(f"{event_type}: the data does not have the type's shape") from error
    return event_type, data
