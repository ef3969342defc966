"""A stream's state as JSON text, as the heads read model keeps it."""

from collections.abc import Mapping
from typing import Any, assert_never

from pydantic import TypeAdapter

from events.errors import MalformedRecord
from events.json_text import dump
from events.pattern import DeletedPattern, Pattern
from events.stream import StreamState
from events.team import Team

_OBJECT = TypeAdapter(dict[str, Any])
_KINDS: Mapping[str, type[StreamState]] = {
    "pattern": Pattern,
    "deleted_pattern": DeletedPattern,
    "team": Team,
}


def dump_state(state: StreamState) -> str:
    """The text of a stream's state."""
    match state:
        case Pattern():
            shape = {
                "kind": "pattern",
                "version": state.version,
                "status": state.status,
                "fields": state.fields,
                "field_versions": state.field_versions,
            }
        case DeletedPattern():
            shape = {"kind": "deleted_pattern", "version": state.version}
        case Team():
            shape = {"kind": "team", "version": state.version, "name": state.name}
        case _:
            assert_never(state)
    return dump(shape).decode()


def load_state(text: str) -> StreamState:
    """The state of a text that `dump_state` wrote; raise `MalformedRecord` for any other."""
    try:
        shape = _OBJECT.validate_json(text)
        return _KINDS[shape.pop("kind")](**shape)
    except (ValueError, TypeError, KeyError):
        raise MalformedRecord("not a state's text") from None
