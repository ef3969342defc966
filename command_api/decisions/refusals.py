"""Why a command can be refused: stable codes, and the three ways in which a decision can end."""

from dataclasses import dataclass
from enum import StrEnum

from events.registry import Event


class Refusal(StrEnum):
    """Stable codes; docs/problems.md explains each."""

    MALFORMED_JSON = "malformed_json"
    DUPLICATE_KEY = "duplicate_key"
    NUMBER_OUT_OF_RANGE = "number_out_of_range"
    INVALID_TEXT = "invalid_text"
    TOO_DEEP = "too_deep"
    MALFORMED_COMMAND = "malformed_command"
    UNKNOWN_COMMAND_TYPE = "unknown_command_type"
    INVALID_FIELD = "invalid_field"
    TOO_LARGE = "too_large"
    TOO_OLD = "too_old"
    IN_FUTURE = "in_future"
    COMMAND_ID_REUSED = "command_id_reused"
    UNKNOWN_TEAM = "unknown_team"
    TEAM_EXISTS = "team_exists"
    UNKNOWN_PATTERN = "unknown_pattern"
    PATTERN_EXISTS = "pattern_exists"
    PATTERN_ARCHIVED = "pattern_archived"
    PATTERN_NOT_ARCHIVED = "pattern_not_archived"
    PATTERN_DELETED = "pattern_deleted"
    NAME_TAKEN = "name_taken"
    UNKNOWN_BASE_VERSION = "unknown_base_version"
    EDIT_CONFLICT = "edit_conflict"
    INTERNAL_ERROR = "internal_error"


@dataclass(frozen=True, kw_only=True, slots=True)
class Accepted:
    """The command becomes these events; `merged` when its sender had not seen the newest version."""

    events: tuple[Event, ...]
    merged: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Conflict:
    """The command edits fields that changed since its base version."""

    current_version: int
    fields: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Rejected:
    """The command is refused."""

    code: Refusal
    detail: str


Decision = Accepted | Conflict | Rejected
