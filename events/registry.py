"""Every event type that was ever published, and how its data is read and written."""

from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter, ValidationError

from events.errors import MalformedRecord, UnknownEventType
from events.json_text import dump
from events.pattern import (
    PatternArchived,
    PatternDeleted,
    PatternEdited,
    PatternEvent,
    PatternRecorded,
    PatternRestored,
)
from events.team import TeamCreated, TeamEvent
from events.upcasters import UPCASTERS, Upcasters, upcast

Event = PatternEvent | TeamEvent

TYPES: Mapping[str, type[Event]] = {
    "team.created.v1": TeamCreated,
    "pattern.recorded.v1": PatternRecorded,
    "pattern.edited.v2": PatternEdited,
    "pattern.archived.v1": PatternArchived,
    "pattern.restored.v1": PatternRestored,
    "pattern.deleted.v1": PatternDeleted,
}
"""The newest version of each type; older ones are read through `UPCASTERS`."""

_NAMES: Mapping[type[Event], str] = {event_class: name for name, event_class in TYPES.items()}
_READERS: Mapping[str, TypeAdapter[Any]] = {name: TypeAdapter(cls) for name, cls in TYPES.items()}
_OBJECT = TypeAdapter(dict[str, Any])


def type_of(event: Event) -> str:
    """The name, with version, under which an event is written."""
    return _NAMES[type(event)]


def write(event: Event) -> bytes:
    """An event's data as JSON text."""
    return dump({name: getattr(event, name) for name in type(event).__dataclass_fields__})


def read(event_type: str, data: bytes, upcasters: Upcasters = UPCASTERS) -> Event:
    """An event from its type and data, in its newest shape.

    Raise `UnknownEventType` for a type nobody published, `MalformedRecord` for data without the type's shape.
    """
    try:
        if event_type in upcasters:
            newest, shape = upcast(event_type, _OBJECT.validate_json(data), upcasters)
            return _reader(newest).validate_python(shape)  # type: ignore[no-any-return]
        return _reader(event_type).validate_json(data)  # type: ignore[no-any-return]
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise MalformedRecord(f"{event_type}: {where or 'data'}: {first['msg']}") from None


def _reader(event_type: str) -> TypeAdapter[Any]:
    try:
        return _READERS[event_type]
    except KeyError:
        raise UnknownEventType(event_type) from None
