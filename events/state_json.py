"""A stream's state as JSON text, as the heads read model keeps it."""

from collections.abc import Callable, Mapping
from typing import Any, assert_never

from pydantic import TypeAdapter

from events.errors import MalformedRecord
from events.json_text import Json, dump
from events.merge_rules import Policy, Rule
from events.pattern import DeletedPattern, Pattern
from events.stream import StreamState
from events.team import Team

_OBJECT = TypeAdapter(dict[str, Any])


def _team(*, policy: str = Policy.MERGE, rules: Mapping[str, str] | None = None, **shape: Any) -> Team:
    own = {field: Rule(rule) for field, rule in (rules or {}).items()}
    return Team(policy=Policy(policy), rules=own, **shape)


_KINDS: Mapping[str, Callable[..., StreamState]] = {
    "pattern": Pattern,
    "deleted_pattern": DeletedPattern,
    "team": _team,
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
            optional: dict[str, Json] = {"conflicts": state.conflicts}
        case DeletedPattern():
            shape, optional = {"kind": "deleted_pattern", "version": state.version}, {}
        case Team():
            shape = {"kind": "team", "version": state.version, "name": state.name}
            changed = {} if state.policy is Policy.MERGE else {"policy": state.policy}
            optional = {**changed, "rules": state.rules}
        case _:
            assert_never(state)
    # What is as it was before there was a choice is left out, as in the rows of that time.
    shape |= {name: value for name, value in optional.items() if value}
    return dump(shape).decode()


def load_state(text: str) -> StreamState:
    """The state of a text that `dump_state` wrote; raise `MalformedRecord` for any other."""
    try:
        shape = _OBJECT.validate_json(text)
        return _KINDS[shape.pop("kind")](**shape)
    except (ValueError, TypeError, KeyError):
        raise MalformedRecord("not a state's text") from None
