"""Why a command can be refused: stable codes, and the three ways in which a decision can end."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from events.json_text import Json
from events.pattern import PatternConflictDetected
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
    UNKNOWN_ORGANIZATION = "unknown_organization"
    ORGANIZATION_EXISTS = "organization_exists"
    FORBIDDEN = "forbidden"
    MEMBER_EXISTS = "member_exists"
    UNKNOWN_MEMBER = "unknown_member"
    LAST_ADMIN = "last_admin"
    INVITATION_EXISTS = "invitation_exists"
    UNKNOWN_INVITATION = "unknown_invitation"
    INVITATION_EXPIRED = "invitation_expired"
    INVALID_EXPIRY = "invalid_expiry"
    UNKNOWN_SETTING = "unknown_setting"
    SETTING_ENFORCED = "setting_enforced"
    STALE_ORGANIZATION = "stale_organization"
    UNKNOWN_PATTERN = "unknown_pattern"
    PATTERN_EXISTS = "pattern_exists"
    PATTERN_ARCHIVED = "pattern_archived"
    PATTERN_NOT_ARCHIVED = "pattern_not_archived"
    PATTERN_DELETED = "pattern_deleted"
    NAME_TAKEN = "name_taken"
    UNKNOWN_BASE_VERSION = "unknown_base_version"
    UNKNOWN_BASE_COMMAND = "unknown_base_command"
    DEPENDS_ON_REFUSED = "depends_on_refused"
    PATTERN_CHANGED = "pattern_changed"
    EDIT_CONFLICT = "edit_conflict"
    STALE_EDIT = "stale_edit"
    TOO_MANY_CONFLICTS = "too_many_conflicts"
    CONFLICT_NOT_OPEN = "conflict_not_open"
    UNRESOLVED_FIELDS = "unresolved_fields"
    STALE_RESOLUTION = "stale_resolution"
    BATCH_REFUSED = "batch_refused"
    INTERRUPTED = "interrupted"
    INTERNAL_ERROR = "internal_error"


@dataclass(frozen=True, kw_only=True, slots=True)
class Accepted:
    """The command becomes these events."""

    events: tuple[Event, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Conflict:
    """The command edits fields that changed since its base: it becomes an event that says so."""

    current_version: int
    event: PatternConflictDetected

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields that do not merge."""
        return tuple(name for name, field in self.event.fields.items() if field.clashes)


@dataclass(frozen=True, kw_only=True, slots=True)
class Rejected:
    """The command is refused; `about` is what programs may want to know beside the code."""

    code: Refusal
    detail: str
    about: Mapping[str, Json] = field(default_factory=dict)


Decision = Accepted | Conflict | Rejected
