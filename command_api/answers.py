"""How outcomes look over HTTP."""

from collections.abc import Mapping

import orjson
from starlette.responses import Response

from command_api.decisions.refusals import Refusal
from events.cursor import Cursor
from events.json_text import Json
from events.outcome import Outcome
from runtime.problems import Problem

STATUS: Mapping[Refusal, int] = {
    Refusal.MALFORMED_JSON: 400,
    Refusal.DUPLICATE_KEY: 400,
    Refusal.NUMBER_OUT_OF_RANGE: 400,
    Refusal.INVALID_TEXT: 400,
    Refusal.TOO_DEEP: 400,
    Refusal.MALFORMED_COMMAND: 400,
    Refusal.UNKNOWN_COMMAND_TYPE: 400,
    Refusal.INVALID_FIELD: 400,
    Refusal.TOO_LARGE: 413,
    Refusal.TOO_OLD: 422,
    Refusal.IN_FUTURE: 422,
    Refusal.COMMAND_ID_REUSED: 409,
    Refusal.UNKNOWN_TEAM: 404,
    Refusal.TEAM_EXISTS: 409,
    Refusal.UNKNOWN_ORGANIZATION: 404,
    Refusal.ORGANIZATION_EXISTS: 409,
    Refusal.FORBIDDEN: 403,
    Refusal.MEMBER_EXISTS: 409,
    Refusal.UNKNOWN_MEMBER: 404,
    Refusal.LAST_ADMIN: 409,
    Refusal.INVITATION_EXISTS: 409,
    Refusal.UNKNOWN_INVITATION: 404,
    Refusal.INVITATION_EXPIRED: 410,
    Refusal.INVALID_EXPIRY: 422,
    Refusal.UNKNOWN_SETTING: 422,
    Refusal.SETTING_ENFORCED: 409,
    Refusal.STALE_ORGANIZATION: 409,
    Refusal.UNKNOWN_PATTERN: 404,
    Refusal.PATTERN_EXISTS: 409,
    Refusal.PATTERN_ARCHIVED: 409,
    Refusal.PATTERN_NOT_ARCHIVED: 409,
    Refusal.PATTERN_DELETED: 410,
    Refusal.NAME_TAKEN: 409,
    Refusal.UNKNOWN_BASE_VERSION: 422,
    Refusal.UNKNOWN_BASE_COMMAND: 422,
    Refusal.DEPENDS_ON_REFUSED: 409,
    Refusal.PATTERN_CHANGED: 409,
    Refusal.EDIT_CONFLICT: 409,
    Refusal.STALE_EDIT: 409,
    Refusal.TOO_MANY_CONFLICTS: 409,
    Refusal.CONFLICT_NOT_OPEN: 409,
    Refusal.UNRESOLVED_FIELDS: 422,
    Refusal.STALE_RESOLUTION: 409,
    Refusal.BATCH_REFUSED: 409,
    Refusal.INTERRUPTED: 409,
    Refusal.INTERNAL_ERROR: 500,
}
"""The HTTP status of each refusal."""


def outcome_body(outcome: Outcome) -> dict[str, Json]:
    """An outcome as its sender reads it; one with events carries the cursor to read what it wrote."""
    body: dict[str, Json] = {
        "command_id": outcome.command_id,
        "status": outcome.status,
        "recorded_at": outcome.recorded_at,
        "repeat": outcome.repeat,
        **outcome.answer,
    }
    sequence = outcome.answer.get("sequence")
    if sequence is not None:
        body["cursor"] = str(Cursor(log_id=outcome.log_id, team_id=outcome.team_id, sequence=sequence))
    return body


def pending_body(team_id: str, command_id: str) -> dict[str, Json]:
    """What stands for an outcome that is not known yet."""
    return {
        "command_id": command_id,
        "status": "pending",
        "url": f"/api/v1/teams/{team_id}/commands/{command_id}",
    }


def problem_of(body: Mapping[str, Json]) -> Problem:
    """The problem document of a refused command or a conflict."""
    code = Refusal(body["code"])
    return Problem(code, STATUS[code], body["detail"], outcome=dict(body))


def json_response(body: Json, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON response, without a model."""
    return Response(orjson.dumps(body), status, headers=headers, media_type="application/json")


def pending_response(body: Mapping[str, Json]) -> Response:
    """202 for a single command whose outcome is not known yet."""
    return json_response(body, 202, {"Location": body["url"], "Retry-After": "1"})
