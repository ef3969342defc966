"""What OpenAPI says of the command API's routes: bodies, answers and problems, each with examples."""

from typing import Any

from pydantic import BaseModel

from command_api import examples
from command_api.decisions.commands import MAX_MEMBERS, command_schemas
from command_api.documents import (
    ImportDocument,
    InvitedDocument,
    MembersDocument,
    OutcomeDocument,
    OutcomesDocument,
    PendingDocument,
)
from command_api.examples import COMMAND, named
from command_api.members.planning import MemberRow
from command_api.offered import OFFERED, Collection
from command_api.refusal_examples import refusals
from events.json_schemas import inlined
from events.json_text import Json
from events.roles import OrganizationRole, Role
from runtime.openapi.problems import Responses, add_problems
from runtime.problems import Problem
from runtime.uploads import problems as uploads

_RETRY = {"Retry-After": "1"}
LOG_UNAVAILABLE = Problem(
    "log_unavailable",
    503,
    "the log did not acknowledge in time; send the same commands again under the same ids",
    headers=_RETRY,
)
_TOO_MANY = Problem("too_many_commands", 413, "501 commands; a request holds up to 500")
_AWAY = Problem("database_unavailable", 503, "it cannot be looked up at the moment", headers=_RETRY)
_OF_ANOTHER = Problem("forbidden", 403, "the key is good for another team alone")
_LOOKED_UP = (
    _OF_ANOTHER,
    Problem("unknown_command", 404, "no outcome is known under this id; re-send the command"),
    _AWAY,
)
_NO_INVITATION = Problem("invalid_invitation", 400, "the token is none of an invitation", pointer="/token")
OF_JSON = (
    Problem("unsupported_media_type", 415, "send `Content-Type: application/json`"),
    Problem("invalid_body", 400, "/role: Input should be 'admin' or 'member'", pointer="/role"),
)
_NO_LOOKING_UP = Problem("forbidden", 403, "only admins of the organization may look users up by name")
_UPLOADED = (
    uploads.malformed("the JSON is broken: Expecting value at character 7"),
    uploads.unsupported("csv files are not taken; json, ndjson are, also compressed with gzip"),
    uploads.mismatch("the file is compressed with gzip, and nothing says so"),
    uploads.too_large("uncompressed, the file has too many bytes", 16777216),
    uploads.too_many_rows(10000),
)


def _content(schema: Json, **values: Json) -> dict[str, Any]:
    return {"application/json": {"schema": schema, "examples": named(**values)}}


def _schema(*models: type[BaseModel]) -> Json:
    shapes = [inlined(model.model_json_schema()) for model in models]
    return shapes[0] if len(shapes) == 1 else {"anyOf": shapes}


def submit_body(collection: Collection) -> dict[str, Any]:
    """One command or many; at run time the body is checked without a model of the request."""
    schemas = command_schemas()
    alternatives = [inlined(schemas[name]) for name in OFFERED[collection]]
    shown = examples.COMMANDS if collection is Collection.TEAMS else examples.ORGANIZATION_COMMANDS
    many_shown = examples.MANY if collection is Collection.TEAMS else examples.MANY_TO_ORGANIZATION
    many = {
        "description": "Commands on their own, in order. Those in a batch are counted one by one.",
        "type": "object",
        "required": ["commands"],
        "additionalProperties": False,
        "properties": {
            "commands": {
                "type": "array",
                "minItems": 1,
                "maxItems": MAX_MEMBERS,
                "items": {"oneOf": alternatives},
            }
        },
    }
    content = _content({"oneOf": [*alternatives, many]}, **shown, many=many_shown)
    return {"requestBody": {"required": True, "content": content}}


def submit_responses() -> Responses:
    """Outcomes, pending ones, and every refusal."""
    done = {
        "description": "The outcome, with the `cursor` to read what it wrote; that of a `batch` has the "
        '`outcomes` of its commands. `{"outcomes": [...]}` in order for many commands',
        "content": _content(
            _schema(OutcomeDocument, OutcomesDocument),
            accepted=examples.ACCEPTED,
            merged=examples.MERGED,
            batch=examples.OF_A_BATCH,
            many={"outcomes": [examples.ACCEPTED, examples.REJECTED]},
        ),
    }
    pending = {
        "description": "An outcome is not known yet; `url` and `Location` tell where it will be",
        "content": _content(
            _schema(PendingDocument, OutcomesDocument),
            pending=examples.PENDING,
            many={"outcomes": [examples.ACCEPTED, examples.PENDING]},
        ),
    }
    conflict = {
        "description": "`edit_conflict`, with the `conflict` and the `cursor` to read it in `outcome`, "
        "or a refusal that depends on the library's state"
    }
    responses: Responses = {200: done, 202: pending, 409: conflict}
    add_problems(responses, (*refusals(), _TOO_MANY, LOG_UNAVAILABLE))
    return responses


def look_up_responses() -> Responses:
    """An outcome of whatever status, or none yet."""
    done = {
        "description": "The first outcome, whatever its status",
        "content": _content(
            _schema(OutcomeDocument),
            accepted=examples.ACCEPTED,
            conflict=examples.CONFLICT,
            rejected=examples.REJECTED,
        ),
    }
    pending = {
        "description": "It was received; the outcome is not known yet",
        "content": _content(_schema(PendingDocument), pending=examples.PENDING),
    }
    responses: Responses = {200: done, 202: pending}
    add_problems(responses, _LOOKED_UP)
    return responses


def body_of_invitation(collection: Collection) -> dict[str, Any]:
    """The role, and for how long."""
    role = Role if collection is Collection.TEAMS else OrganizationRole
    schema = {
        "type": "object",
        "required": ["role"],
        "additionalProperties": False,
        "properties": {
            "role": {"type": "string", "enum": [one.value for one in role]},
            "expires_in_days": {"type": "integer", "minimum": 1, "maximum": 30, "default": 7},
        },
    }
    content = _content(schema, invitation={"role": [*role][1].value, "expires_in_days": 14})
    return {"requestBody": {"required": True, "content": content}}


def body_of_acceptance() -> dict[str, Any]:
    """The token, and the command's id, by which a repeat is told."""
    schema = {
        "type": "object",
        "required": ["token"],
        "additionalProperties": False,
        "properties": {
            "token": {"type": "string", "maxLength": 200},
            "command_id": {"type": "string", "format": "uuid"},
        },
    }
    content = _content(schema, acceptance={"token": examples.TOKEN, "command_id": COMMAND})
    return {"requestBody": {"required": True, "content": content}}


def invited_responses() -> Responses:
    """The invitation with its token, which is told once."""
    shape = _schema(InvitedDocument)
    done = {
        "description": "The invitation is open",
        "content": _content(shape, invited={**examples.INVITED, "outcome": examples.CHANGED}),
    }
    pending = {
        "description": "The invitation will be open, if the outcome at its `url` says so",
        "content": _content(shape, pending={**examples.INVITED, "outcome": examples.PENDING}),
    }
    responses: Responses = {201: done, 202: pending}
    add_problems(responses, (*refusals(), *OF_JSON, LOG_UNAVAILABLE))
    return responses


def accepted_responses() -> Responses:
    """The outcome of the command."""
    done = {
        "description": "The caller belongs to it now",
        "content": _content(_schema(OutcomeDocument), accepted=examples.CHANGED),
    }
    pending = {
        "description": "The outcome is not known yet",
        "content": _content(_schema(PendingDocument), pending=examples.PENDING),
    }
    responses: Responses = {200: done, 202: pending}
    add_problems(responses, (_NO_INVITATION, *refusals(), *OF_JSON, LOG_UNAVAILABLE))
    return responses


def members_body() -> dict[str, Any]:
    """A list of members as the body, or in a form."""
    row = inlined(MemberRow.model_json_schema())
    rows = {"type": "array", "minItems": 1, "items": row}
    in_object = {"type": "object", "required": ["rows"], "properties": {"rows": rows}}
    listed = examples.MEMBER_ROWS
    form = {
        "type": "object",
        "required": ["file"],
        "properties": {"file": {"type": "string", "format": "binary"}},
        "additionalProperties": False,
    }
    content = {
        "application/json": {
            "schema": {"oneOf": [rows, in_object]},
            "examples": named(list=listed, object={"rows": listed}),
        },
        "text/csv": {"schema": {"type": "string"}, "example": examples.MEMBER_CSV},
        "multipart/form-data": {"schema": form, "example": {"file": examples.MEMBER_CSV}},
    }
    description = "A list of members, also compressed with gzip and said to be so"
    return {"requestBody": {"required": True, "description": description, "content": content}}


def members_responses() -> Responses:
    """Results by row."""
    shape = _schema(MembersDocument)
    done = {"description": "What became of each row", "content": _content(shape, done=examples.MEMBERS_DONE)}
    pending = {
        "description": "The same; of some rows it is not known yet",
        "content": _content(shape, pending=examples.MEMBERS_PENDING),
    }
    responses: Responses = {200: done, 202: pending}
    add_problems(responses, (*_UPLOADED, _NO_LOOKING_UP, _AWAY))
    return responses


def import_body() -> dict[str, Any]:
    """A file as the body, or in a form."""
    patterns = {"type": "array", "minItems": 1, "items": {"type": "object"}}
    in_object = {"type": "object", "required": ["patterns"], "properties": {"patterns": patterns}}
    listed = [{"name": "Retry storm", "severity": "high"}, {"name": "Race", "tags": ["concurrency"]}]
    form = {
        "type": "object",
        "required": ["file"],
        "properties": {"file": {"type": "string", "format": "binary"}},
        "additionalProperties": False,
    }
    content = {
        "application/json": {
            "schema": {"oneOf": [patterns, in_object]},
            "examples": named(list=listed, object={"patterns": listed}),
        },
        "application/x-ndjson": {"schema": {"type": "string"}, "example": examples.FILE},
        "multipart/form-data": {"schema": form, "example": {"file": examples.FILE}},
    }
    description = "A file of patterns, also compressed with gzip and said to be so"
    return {"requestBody": {"required": True, "description": description, "content": content}}


def import_responses() -> Responses:
    """Results by row."""
    shape = _schema(ImportDocument)
    done = {
        "description": "What became of each row",
        "content": _content(shape, imported=examples.IMPORTED, dry_run=examples.DRY),
    }
    pending = {
        "description": "The same; of some rows it is not known yet",
        "content": _content(shape, pending=examples.UNFINISHED),
    }
    responses: Responses = {200: done, 202: pending}
    add_problems(responses, (*_UPLOADED, _OF_ANOTHER, LOG_UNAVAILABLE))
    return responses
