"""What the members of a command may hold, and where in it something is wrong."""

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field
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
from events.identifiers import canonical_uuid, is_uuid7
from events.json_text import Json
from events.shapes import Person, is_time

MAX_NAMED = 1000
NEEDS_NAME = "name: a pattern needs a name"


class InvalidCommand(Exception):
    """A command without the shape of its type. `pointer` is a JSON pointer (RFC 6901) into the command."""

    def __init__(self, code: Refusal, detail: str, pointer: str = "") -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.pointer = pointer


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


def _must_be_few(value: Json) -> Json:
    # Before each of them is looked at.
    if isinstance(value, dict) and len(value) > MAX_NAMED:
        raise ValueError(f"must name at most {MAX_NAMED} fields")
    return value


CommandId = Annotated[str, AfterValidator(_must_be_uuid7), Field(json_schema_extra={"format": "uuid"})]
Id = Annotated[str, AfterValidator(canonical_uuid), Field(json_schema_extra={"format": "uuid"})]
PatternId = Id
Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
Time = Annotated[str, AfterValidator(_must_be_time), Field(json_schema_extra={"format": "date-time"})]
Version = Annotated[int, Field(ge=1, strict=True)]
Few = BeforeValidator(_must_be_few)
Member = Person
SettingNames = Annotated[
    list[Annotated[str, Field(min_length=1, max_length=MAX_FIELD_NAME)]], Field(max_length=100)
]
TeamName = Annotated[str, Field(max_length=MAX_NAME), AfterValidator(_must_not_be_blank)]


CLOSED = ConfigDict(extra="forbid", defer_build=True)


@dataclass(frozen=True, kw_only=True, config=CLOSED)
class CommandBase:
    """What every command has: its id, and when it was made, as its sender says."""

    command_id: CommandId
    occurred_at: Time | None = None


def check_changes(given: dict[str, Json], remove: list[str], named_before: list[str]) -> None:
    """Raise `InvalidCommand` for fields that cannot be set or removed, or that are named twice."""
    check_values("set", given)
    named = {*named_before}
    for index, name in enumerate([*given, *remove]):
        where = pointer_to("set", name) if index < len(given) else pointer_to("remove", index - len(given))
        if name in named:
            raise InvalidCommand(Refusal.MALFORMED_COMMAND, "a command names each field once", where)
        if not is_field_name(name):
            raise InvalidCommand(Refusal.INVALID_FIELD, FIELD_NAME_RULE, where)
        if name == "name" and index >= len(given):
            raise InvalidCommand(Refusal.INVALID_FIELD, NEEDS_NAME, where)
        named.add(name)


def check_values(member: str, fields: dict[str, Json]) -> None:
    """Raise `InvalidCommand` for the first field in a member of a command that will not do."""
    try:
        check_fields(fields)
    except InvalidField as error:
        raise InvalidCommand(Refusal.INVALID_FIELD, str(error), pointer_to(member, error.field)) from None


def pointer_to(*path: str | int) -> str:
    """A JSON pointer (RFC 6901); what is too long to be a name is cut."""
    parts = (str(part)[:MAX_FIELD_NAME].replace("~", "~0").replace("/", "~1") for part in path)
    return "".join(f"/{part}" for part in parts)


def check_settings(given: dict[str, Json], remove: list[str], all_of_it: tuple[object, ...]) -> None:
    """Raise `InvalidCommand` for settings that will not do, or a command that says nothing of any."""
    if not any(all_of_it):
        raise InvalidCommand(Refusal.MALFORMED_COMMAND, "it names at least one setting", "/set")
    for name in given:
        if not is_field_name(name):
            raise InvalidCommand(Refusal.INVALID_FIELD, FIELD_NAME_RULE, pointer_to("set", name))
        if name in remove:
            raise InvalidCommand(
                Refusal.MALFORMED_COMMAND, "a command names each setting once", pointer_to("set", name)
            )
