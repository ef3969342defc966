"""Commands: requests to change one stream, as clients write them."""

import hashlib
from dataclasses import fields as dataclass_fields
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from command_api.decisions.pattern_fields import (
    FIELD_NAME_RULE,
    MAX_FIELD_NAME,
    MAX_NAME,
    InvalidField,
    check_fields,
    is_field_name,
)
from command_api.decisions.refusals import Refusal
from events.errors import InvalidJson
from events.identifiers import is_uuid, is_uuid7
from events.json_text import Json, canonical, parse
from events.shapes import is_time

_CONFIG = ConfigDict(extra="forbid")
_MAX_MEMBERS = 16
_NEEDS_NAME = "name: a pattern needs a name"


class InvalidCommand(Exception):
    """A command without the shape of its type. `pointer` is a JSON pointer (RFC 6901) into the command."""

    def __init__(self, code: Refusal, detail: str, pointer: str = "") -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.pointer = pointer


def _must_be_uuid(text: str) -> str:
    if not is_uuid(text):
        raise ValueError("must be a UUID in canonical lower-case form")
    return text


def _must_be_uuid7(text: str) -> str:
    if not is_uuid7(text):
        raise ValueError("must be a version 7 UUID in canonical lower-case form")
    return text


def _must_be_time(text: str) -> str:
    if not is_time(text):
        raise ValueError("must be an RFC 3339 time with an offset")
    return text


def _must_not_be_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("must not be blank")
    return text


CommandId = Annotated[str, AfterValidator(_must_be_uuid7), Field(json_schema_extra={"format": "uuid"})]
PatternId = Annotated[str, AfterValidator(_must_be_uuid), Field(json_schema_extra={"format": "uuid"})]
Time = Annotated[str, AfterValidator(_must_be_time), Field(json_schema_extra={"format": "date-time"})]
Version = Annotated[int, Field(ge=1, strict=True)]


@dataclass(frozen=True, kw_only=True, config=_CONFIG)
class _Command:
    command_id: CommandId
    occurred_at: Time | None = None


@dataclass(frozen=True, kw_only=True, config=_CONFIG)
class CreateTeam(_Command):
    """Create the team that the command is sent to, and its empty library."""

    type: Literal["create_team"] = "create_team"
    name: Annotated[str, Field(max_length=MAX_NAME), AfterValidator(_must_not_be_blank)]


@dataclass(frozen=True, kw_only=True, config=_CONFIG)
class RecordPattern(_Command):
    """Add a pattern to the library."""

    type: Literal["record_pattern"] = "record_pattern"
    pattern_id: PatternId
    fields: dict[str, Any]


@dataclass(frozen=True, kw_only=True, config=_CONFIG)
class EditPattern(_Command):
    """Set and remove fields of a pattern, as seen at `base_version`."""

    type: Literal["edit_pattern"] = "edit_pattern"
    pattern_id: PatternId
    base_version: Version
    set: Annotated[dict[str, Any], Field(default_factory=dict)]
    remove: Annotated[list[str], Field(default_factory=list, fail_fast=True)]


@dataclass(frozen=True, kw_only=True, config=_CONFIG)
class ArchivePattern(_Command):
    """Put a live pattern away; its name becomes free."""

    type: Literal["archive_pattern"] = "archive_pattern"
    pattern_id: PatternId


@dataclass(frozen=True, kw_only=True, config=_CONFIG)
class RestorePattern(_Command):
    """Make an archived pattern live again."""

    type: Literal["restore_pattern"] = "restore_pattern"
    pattern_id: PatternId


@dataclass(frozen=True, kw_only=True, config=_CONFIG)
class DeletePattern(_Command):
    """Delete a pattern for good."""

    type: Literal["delete_pattern"] = "delete_pattern"
    pattern_id: PatternId


PatternCommand = RecordPattern | EditPattern | ArchivePattern | RestorePattern | DeletePattern
TeamCommand = CreateTeam
Command = PatternCommand | TeamCommand

_COMMAND: TypeAdapter[Command] = TypeAdapter(Annotated[Command, Field(discriminator="type")])


def command_schemas() -> dict[str, dict[str, Json]]:
    """The JSON Schema of each type of command, by its name."""
    schemas = {kind.type: TypeAdapter(kind).json_schema() for kind in get_args(Command)}
    return {name: {**schema, "required": ["type", *schema["required"]]} for name, schema in schemas.items()}


def read_command(text: bytes) -> tuple[Command, Json]:
    """A command and its JSON object from text; raise `InvalidCommand`."""
    try:
        value = parse(text)
    except InvalidJson as error:
        raise InvalidCommand(Refusal(error.code), error.reason) from None
    return command_from(value), value


def command_from(value: Json) -> Command:
    """A command from parsed JSON; raise `InvalidCommand` with a pointer to what is wrong."""
    if not isinstance(value, dict):
        raise InvalidCommand(Refusal.MALFORMED_COMMAND, "a command is a JSON object")
    if len(value) > _MAX_MEMBERS:
        raise InvalidCommand(Refusal.MALFORMED_COMMAND, f"a command has at most {_MAX_MEMBERS} members")
    try:
        command = _COMMAND.validate_python(value)
    except ValidationError as error:
        raise _invalid(error) from None
    if isinstance(command, RecordPattern):
        _check_record(command)
    elif isinstance(command, EditPattern):
        _check_edit(command)
    return command


def command_hash(value: Json) -> str:
    """SHA-256, in hex, of a command's JSON in canonical form: tells a re-sent command from another one."""
    return hashlib.sha256(canonical(value)).hexdigest()


def to_json(command: Command) -> dict[str, Json]:
    """A command as the JSON object that a client sends; what was not given is left out."""
    values = {field.name: getattr(command, field.name) for field in dataclass_fields(command)}
    return {name: value for name, value in values.items() if value is not None}


def _check_record(command: RecordPattern) -> None:
    _check_values("fields", command.fields)
    if "name" not in command.fields:
        raise InvalidCommand(Refusal.INVALID_FIELD, _NEEDS_NAME, "/fields/name")


def _check_edit(command: EditPattern) -> None:
    _check_values("set", command.set)
    named = {*command.set}
    for index, name in enumerate(command.remove):
        where = _pointer("remove", index)
        if name == "name":
            raise InvalidCommand(Refusal.INVALID_FIELD, _NEEDS_NAME, where)
        if name in named:
            raise InvalidCommand(Refusal.MALFORMED_COMMAND, "an edit names each field once", where)
        if not is_field_name(name):
            raise InvalidCommand(Refusal.INVALID_FIELD, FIELD_NAME_RULE, where)
        named.add(name)
    if not named:
        raise InvalidCommand(Refusal.MALFORMED_COMMAND, "an edit sets or removes at least one field", "/set")


def _check_values(member: str, fields: dict[str, Json]) -> None:
    try:
        check_fields(fields)
    except InvalidField as error:
        raise InvalidCommand(Refusal.INVALID_FIELD, str(error), _pointer(member, error.field)) from None


def _invalid(error: ValidationError) -> InvalidCommand:
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    if first["type"] in ("union_tag_invalid", "union_tag_not_found"):
        missing = first["type"] == "union_tag_not_found"
        detail = "type: is missing" if missing else "type: no command has this type"
        return InvalidCommand(Refusal.UNKNOWN_COMMAND_TYPE, detail, "/type")
    where = tuple(str(part)[:MAX_FIELD_NAME] for part in first["loc"][1:])
    detail = first["msg"].removeprefix("Value error, ")
    return InvalidCommand(Refusal.MALFORMED_COMMAND, f"{'.'.join(where)}: {detail}", _pointer(*where))


def _pointer(*path: str | int) -> str:
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)
