"""Commands: requests to change one stream, as clients write them."""

import hashlib
from dataclasses import fields as dataclass_fields
from typing import Annotated, Any, Literal, get_args

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from command_api.decisions.command_shapes import (
    CLOSED,
    NEEDS_NAME,
    CommandBase,
    CommandId,
    Few,
    PatternId,
    Version,
    check_changes,
    check_values,
    pointer_to,
)
from command_api.decisions.command_shapes import InvalidCommand as InvalidCommand  # noqa: PLC0414
from command_api.decisions.organization_commands import OrganizationCommand, check_organization_command
from command_api.decisions.pattern_fields import MAX_FIELD_NAME
from command_api.decisions.refusals import Refusal
from command_api.decisions.team_commands import TeamCommand, check_team_command
from events.errors import InvalidJson
from events.json_text import Json, canonical, parse
from events.merge_rules import Policy

MAX_MEMBERS = 500
"""Commands in one batch."""
_MOST_KEYS = 16
_OF_THE_BATCH = {"command_id", "occurred_at"}


@dataclass(frozen=True, kw_only=True, config=CLOSED)
class RecordPattern(CommandBase):
    """Add a pattern to the library."""

    type: Literal["record_pattern"] = "record_pattern"
    pattern_id: PatternId
    fields: dict[str, Any]


@dataclass(frozen=True, kw_only=True, config=CLOSED)
class _Based(CommandBase):
    """What the sender has seen: a version of the pattern, and on top of it an own earlier command.

    Without a version it is the one that the earlier command began with.
    """

    pattern_id: PatternId
    base_version: Version | None = None
    base_command: CommandId | None = None


@dataclass(frozen=True, kw_only=True, config=CLOSED)
class EditPattern(_Based):
    """Set and remove fields of a pattern, as seen at `base_version` or after `base_command`.

    With a `policy` that is stricter than the library's, that one holds.
    """

    type: Literal["edit_pattern"] = "edit_pattern"
    policy: Policy | None = None
    set: Annotated[dict[str, Any], Field(default_factory=dict)]
    remove: Annotated[list[str], Field(default_factory=list, fail_fast=True)]


@dataclass(frozen=True, kw_only=True, config=CLOSED)
class ResolveConflict(CommandBase):
    """Say what becomes of an edit in conflict: by field mine (the edit's), theirs (what is there), or anew.

    `rest` is for fields that clash and are not named. Fields that do not clash are merged if not named.
    `base_version` is what the sender has seen, by default the version at which the conflict was detected.
    """

    type: Literal["resolve_conflict"] = "resolve_conflict"
    pattern_id: PatternId
    conflict_id: CommandId
    base_version: Version | None = None
    take: Annotated[dict[str, Literal["mine", "theirs"]], Few, Field(default_factory=dict)]
    rest: Literal["mine", "theirs"] | None = None
    set: Annotated[dict[str, Any], Field(default_factory=dict)]
    remove: Annotated[list[str], Field(default_factory=list, fail_fast=True)]


@dataclass(frozen=True, kw_only=True, config=CLOSED)
class AbandonConflict(CommandBase):
    """Give an edit in conflict up."""

    type: Literal["abandon_conflict"] = "abandon_conflict"
    pattern_id: PatternId
    conflict_id: CommandId


@dataclass(frozen=True, kw_only=True, config=CLOSED)
class ArchivePattern(_Based):
    """Put a live pattern away; its name becomes free. With a base: only if nobody else changed it since."""

    type: Literal["archive_pattern"] = "archive_pattern"


@dataclass(frozen=True, kw_only=True, config=CLOSED)
class RestorePattern(_Based):
    """Make an archived pattern live again. With a base: only if nobody else changed it since."""

    type: Literal["restore_pattern"] = "restore_pattern"


@dataclass(frozen=True, kw_only=True, config=CLOSED)
class DeletePattern(_Based):
    """Delete a pattern for good. With a base: only if nobody else changed it since."""

    type: Literal["delete_pattern"] = "delete_pattern"


@dataclass(frozen=True, kw_only=True, config=CLOSED)
class Batch(CommandBase):
    """Up to 500 commands without ids and times of their own, applied in order: all of them, or none.

    As `base_command`, the batch's own id stands for those of its commands that come earlier.
    """

    type: Literal["batch"] = "batch"
    commands: Annotated[
        list[Any],
        Field(min_length=1, max_length=MAX_MEMBERS, json_schema_extra={"items": {"type": "object"}}),
    ]


StatusCommand = ArchivePattern | RestorePattern | DeletePattern
BasedCommand = EditPattern | StatusCommand
PatternCommand = RecordPattern | BasedCommand | ResolveConflict | AbandonConflict
SingleCommand = PatternCommand | TeamCommand | OrganizationCommand
Command = SingleCommand | Batch

_COMMAND: TypeAdapter[Command] = TypeAdapter(
    Annotated[Command, Field(discriminator="type")], config=ConfigDict(defer_build=True)
)


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
    if len(value) > _MOST_KEYS:
        raise InvalidCommand(Refusal.MALFORMED_COMMAND, f"a command has at most {_MOST_KEYS} members")
    try:
        command = _COMMAND.validate_python(value)
    except ValidationError as error:
        raise _invalid(error) from None
    _check(command)
    return command


def members_of(batch: Batch) -> tuple[SingleCommand, ...]:
    """A batch's commands, each under the batch's id; raise `InvalidCommand`."""
    return tuple(_member(batch, index, value) for index, value in enumerate(batch.commands))


def _member(batch: Batch, index: int, value: Json) -> SingleCommand:
    where = pointer_to("commands", index)
    if not isinstance(value, dict) or _OF_THE_BATCH & value.keys() or value.get("type") == "batch":
        detail = "a batch's commands are objects without a command_id and an occurred_at, and no batches"
        raise InvalidCommand(Refusal.MALFORMED_COMMAND, detail, where)
    try:
        member = command_from({"command_id": batch.command_id, **value})
    except InvalidCommand as error:
        raise InvalidCommand(error.code, error.detail, where + error.pointer) from None
    if isinstance(member, Batch):
        raise TypeError("a batch was let through")
    return member


def _check(command: Command) -> None:
    """What a command's shape does not say."""
    if isinstance(command, TeamCommand):
        check_team_command(command)
    elif isinstance(command, OrganizationCommand):
        check_organization_command(command)
    match command:
        case RecordPattern():
            _check_record(command)
        case EditPattern():
            _check_edit(command)
        case ResolveConflict():
            check_changes(command.set, command.remove, [*command.take])
        case Batch():
            members_of(command)
        case _:
            pass


def command_hash(value: Json) -> str:
    """SHA-256, in hex, of a command's JSON in canonical form: tells a re-sent command from another one."""
    return hashlib.sha256(canonical(value)).hexdigest()


def to_json(command: Command) -> dict[str, Json]:
    """A command as the JSON object that a client sends; what was not given is left out."""
    values = {field.name: getattr(command, field.name) for field in dataclass_fields(command)}
    return {name: value for name, value in values.items() if value is not None}


def _check_record(command: RecordPattern) -> None:
    check_values("fields", command.fields)
    if "name" not in command.fields:
        raise InvalidCommand(Refusal.INVALID_FIELD, NEEDS_NAME, "/fields/name")


def _check_edit(command: EditPattern) -> None:
    if command.base_version is None and command.base_command is None:
        detail = "an edit names its base_version or its base_command"
        raise InvalidCommand(Refusal.MALFORMED_COMMAND, detail, "/base_version")
    check_changes(command.set, command.remove, [])
    if not command.set and not command.remove:
        raise InvalidCommand(Refusal.MALFORMED_COMMAND, "an edit sets or removes at least one field", "/set")


def _invalid(error: ValidationError) -> InvalidCommand:
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    if first["type"] in ("union_tag_invalid", "union_tag_not_found"):
        missing = first["type"] == "union_tag_not_found"
        detail = "type: is missing" if missing else "type: no command has this type"
        return InvalidCommand(Refusal.UNKNOWN_COMMAND_TYPE, detail, "/type")
    where = tuple(str(part)[:MAX_FIELD_NAME] for part in first["loc"][1:])
    detail = first["msg"].removeprefix("Value error, ")
    return InvalidCommand(Refusal.MALFORMED_COMMAND, f"{'.'.join(where)}: {detail}", pointer_to(*where))
