"""A stream's state as JSON text, as the heads read model keeps it."""

from typing import assert_never

from events.errors import MalformedRecord
from events.json_text import Json, dump, parse
from events.pattern import DeletedPattern, Pattern
from events.stream import StreamState
from events.team import Team


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
    shape: dict[str, Json] = parse(text.encode(), max_depth=64)
    match shape.pop("kind", None):
        case "pattern":
            return Pattern(**shape)
        case "deleted_pattern":
            return DeletedPattern(**shape)
        case "team":
            return Team(**shape)
        case kind:
            raise MalformedRecord(f"no state is of kind {kind!r}")
