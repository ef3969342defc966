"""Each refusal as a problem, for OpenAPI alone."""

from collections.abc import Mapping

from command_api.answers import STATUS, problem_of
from command_api.decisions.refusals import Refusal
from command_api.examples import COMMAND, CONFLICT, HELD_UP, RECORDED_AT
from events.json_text import Json
from runtime.problems import Problem

DETAILS: Mapping[Refusal, str] = {
    Refusal.MALFORMED_JSON: "Expecting value at character 7",
    Refusal.DUPLICATE_KEY: "the key 'name' stands twice in one object",
    Refusal.NUMBER_OUT_OF_RANGE: "integers beyond 2^53-1 are not read alike by JSON readers",
    Refusal.INVALID_TEXT: "U+0000 cannot be stored",
    Refusal.TOO_DEEP: "nested deeper than 32",
    Refusal.MALFORMED_COMMAND: "base_version: Input should be a valid integer",
    Refusal.UNKNOWN_COMMAND_TYPE: "type: no command has this type",
    Refusal.INVALID_FIELD: "name: a pattern needs a name",
    Refusal.TOO_LARGE: "a command has at most 2097152 bytes of JSON",
    Refusal.TOO_OLD: "the command's id is older than 30 days",
    Refusal.IN_FUTURE: "the command's id is more than 5 minutes ahead",
    Refusal.COMMAND_ID_REUSED: "another command came under this id; the first one stands",
    Refusal.UNKNOWN_TEAM: "there is no such team",
    Refusal.TEAM_EXISTS: "the team was created before",
    Refusal.UNKNOWN_ORGANIZATION: "nobody has created this organization",
    Refusal.ORGANIZATION_EXISTS: "the organization was created before",
    Refusal.FORBIDDEN: "a viewer has no right to write",
    Refusal.MEMBER_EXISTS: "they are a member already",
    Refusal.UNKNOWN_MEMBER: "they are no member",
    Refusal.LAST_ADMIN: "the last admin stays one until there is another",
    Refusal.INVITATION_EXISTS: "an invitation has this id",
    Refusal.UNKNOWN_INVITATION: "no open invitation has this id and secret",
    Refusal.INVITATION_EXPIRED: "the invitation has expired",
    Refusal.INVALID_EXPIRY: "an invitation expires in the future, within 30 days",
    Refusal.UNKNOWN_SETTING: "review_days: the team has not chosen that",
    Refusal.SETTING_ENFORCED: "review_days: the organization enforces this setting",
    Refusal.STALE_ORGANIZATION: "version 7 of the organization was applied before",
    Refusal.UNKNOWN_PATTERN: "the team has no such pattern",
    Refusal.PATTERN_EXISTS: "a pattern was recorded under this id before",
    Refusal.PATTERN_ARCHIVED: "the pattern is archived: restore it first",
    Refusal.PATTERN_NOT_ARCHIVED: "the pattern is live",
    Refusal.PATTERN_DELETED: "the pattern is gone for good",
    Refusal.NAME_TAKEN: 'another live pattern has the name "Retry storm"',
    Refusal.UNKNOWN_BASE_VERSION: "the pattern never had the version 9",
    Refusal.UNKNOWN_BASE_COMMAND: "no outcome of the base command on this pattern is known",
    Refusal.DEPENDS_ON_REFUSED: "the base command was refused or is in conflict",
    Refusal.PATTERN_CHANGED: "somebody else has changed the pattern since the base",
    Refusal.EDIT_CONFLICT: "fields of the edit clash with what others wrote since its base",
    Refusal.STALE_EDIT: "fields of the edit were changed since its base",
    Refusal.TOO_MANY_CONFLICTS: "the pattern has 100 open conflicts",
    Refusal.CONFLICT_NOT_OPEN: "the pattern has no open conflict of this id",
    Refusal.UNRESOLVED_FIELDS: "a resolution has to decide on these fields, too: severity",
    Refusal.STALE_RESOLUTION: "fields changed after the version that was decided on: severity",
    Refusal.BATCH_REFUSED: "the command at 1 was refused: name_taken",
    Refusal.INTERRUPTED: "the command was refused, and why was lost",
    Refusal.INTERNAL_ERROR: "deciding the command failed; it had no effect",
}
UNTAKEN = (
    Refusal.MALFORMED_JSON,
    Refusal.DUPLICATE_KEY,
    Refusal.NUMBER_OUT_OF_RANGE,
    Refusal.INVALID_TEXT,
    Refusal.TOO_DEEP,
    Refusal.MALFORMED_COMMAND,
    Refusal.UNKNOWN_COMMAND_TYPE,
    Refusal.INVALID_FIELD,
    Refusal.TOO_LARGE,
)
"""Refusals of what is not accepted; all others come as outcomes."""
_TOLD: Mapping[Refusal, Mapping[str, Json]] = {
    Refusal.UNKNOWN_BASE_COMMAND: {"base_command": HELD_UP},
    Refusal.DEPENDS_ON_REFUSED: {"base_command": HELD_UP},
    Refusal.PATTERN_CHANGED: {"current_version": 3},
    Refusal.STALE_EDIT: {"conflict": {"current_version": 3, "fields": ["severity"]}},
    Refusal.UNRESOLVED_FIELDS: {"fields": ["severity"]},
    Refusal.STALE_RESOLUTION: {"current_version": 3, "fields": ["severity"]},
    Refusal.BATCH_REFUSED: {"failed": {"index": 1, "code": "name_taken", "detail": "the name is taken"}},
}


def refusals() -> tuple[Problem, ...]:
    """Every refusal as a submitted command can get it."""
    return tuple(_untaken(code) if code in UNTAKEN else problem_of(_outcome(code)) for code in Refusal)


def _untaken(code: Refusal) -> Problem:
    pointer = "" if code in UNTAKEN[:5] else "/fields/name"
    return Problem(code, STATUS[code], DETAILS[code], pointer=pointer)


def _outcome(code: Refusal) -> dict[str, Json]:
    if code is Refusal.EDIT_CONFLICT:
        return CONFLICT
    # One that was added and has no words of its own yet is told by its name.
    detail = DETAILS.get(code, code.replace("_", " "))
    told = {"code": str(code), "detail": detail, **_TOLD.get(code, {})}
    return {
        "command_id": COMMAND,
        "status": "rejected",
        "recorded_at": RECORDED_AT,
        "repeat": False,
        **told,
    }
