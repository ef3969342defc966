"""A stream's state as JSON text, as the heads read model keeps it."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, assert_never

from pydantic import TypeAdapter

from events.errors import MalformedRecord
from events.json_text import Json, dump
from events.organization import Organization
from events.pattern import DeletedPattern, Pattern
from events.stream import StreamState
from events.team import Team

_OBJECT = TypeAdapter(dict[str, Any])


@cache
def _teams() -> TypeAdapter[Team]:
    # Made when it is first needed: a client that starts has no use for it.
    return TypeAdapter(Team)


@cache
def _organizations() -> TypeAdapter[Organization]:
    return TypeAdapter(Organization)


def _team(**shape: Any) -> Team:
    _check_members(shape, Team)
    return _teams().validate_python(shape)


def _organization(**shape: Any) -> Organization:
    _check_members(shape, Organization)
    return _organizations().validate_python(shape)


def _check_members(shape: Mapping[str, Any], of: type[Team | Organization]) -> None:
    if not shape.keys() <= of.__dataclass_fields__.keys():
        raise ValueError("a member that no state has")


_KINDS: Mapping[str, Callable[..., StreamState]] = {
    "pattern": Pattern,
    "deleted_pattern": DeletedPattern,
    "team": _team,
    "organization": _organization,
}


def dump_state(state: StreamState) -> str:
    """The text of a stream's state."""
    match state:
        case Pattern():
            shape: dict[str, Json] = {
                "kind": "pattern",
                "version": state.version,
                "status": state.status,
                "fields": state.fields,
                "field_versions": state.field_versions,
            }
            # What is as it was before there was a choice is left out, as in the rows of that time.
            shape |= {"conflicts": state.conflicts} if state.conflicts else {}
        case DeletedPattern():
            shape = {"kind": "deleted_pattern", "version": state.version}
        case Team():
            shape = {"kind": "team", **_teams().dump_python(state, mode="json", exclude_defaults=True)}
        case Organization():
            as_json = _organizations().dump_python(state, mode="json", exclude_defaults=True)
            shape = {"kind": "organization", **as_json}
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
