import json
from collections.abc import Mapping

import pytest

from command_api.decisions.commands import (
    Command,
    EditPattern,
    InvalidCommand,
    RecordPattern,
    command_from,
    read_command,
)
from command_api.decisions.refusals import Refusal
from events.json_text import Json
from tests.commands import COMMAND, PATTERN, archive, create_team, delete, restore

CREATE: Mapping[str, Json] = {"command_id": COMMAND, "type": "create_team", "name": "Compilers"}
RECORD: Mapping[str, Json] = {
    "command_id": COMMAND,
    "type": "record_pattern",
    "pattern_id": PATTERN,
    "fields": {"name": "Race"},
}
EDIT: Mapping[str, Json] = {
    "command_id": COMMAND,
    "type": "edit_pattern",
    "pattern_id": PATTERN,
    "base_version": 1,
    "set": {"x": 1},
}
LONG = "n" * 10_000


def refusal_of(value: Json) -> tuple[Refusal, str]:
    with pytest.raises(InvalidCommand) as caught:
        command_from(value)
    assert 0 < len(caught.value.detail) < 500
    return caught.value.code, caught.value.pointer


def without(value: Mapping[str, Json], *names: str) -> dict[str, Json]:
    return {name: member for name, member in value.items() if name not in names}


# ---------------------------------------------------------------- what is taken


def test_a_command_is_read_with_its_json() -> None:
    command, value = read_command(json.dumps(RECORD).encode())
    assert command == RecordPattern(command_id=COMMAND, pattern_id=PATTERN, fields={"name": "Race"})
    assert value == RECORD


def test_what_an_edit_leaves_out_is_empty() -> None:
    assert command_from(EDIT) == EditPattern(
        command_id=COMMAND, pattern_id=PATTERN, base_version=1, set={"x": 1}, remove=[]
    )
    removing = command_from({**without(EDIT, "set"), "remove": ["x"]})
    assert removing == EditPattern(
        command_id=COMMAND, pattern_id=PATTERN, base_version=1, set={}, remove=["x"]
    )


@pytest.mark.parametrize("command", [archive(), restore(), delete()])
def test_other_commands_may_name_their_pattern_alone(command: Command) -> None:
    value = {"command_id": COMMAND, "type": command.type, "pattern_id": PATTERN}
    assert command_from(value) == command
    assert refusal_of({**value, "fields": {}}) == (Refusal.MALFORMED_COMMAND, "/fields")


@pytest.mark.parametrize(
    "name", ["a", "\U0001f9ea" * 255, " x ", "a/b [c] \\ ~", "e\u0301" * 127, "\u200b", "\u0001"]
)
def test_a_team_may_have_any_name_that_is_not_blank(name: str) -> None:
    assert command_from({**CREATE, "name": name}) == create_team(name)


@pytest.mark.parametrize(
    "occurred_at",
    ["2026-01-01T00:00:00Z", "2026-02-28T23:59:59.999999999-11:30", "2024-02-29T00:00:00.5+00:00"],
)
def test_a_client_may_say_when_it_happened(occurred_at: str) -> None:
    assert command_from({**CREATE, "occurred_at": occurred_at}).occurred_at == occurred_at
    assert command_from({**CREATE, "occurred_at": None}).occurred_at is None


# ---------------------------------------------------------------- what is refused, and where


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b"{", Refusal.MALFORMED_JSON),
        (b"\xff", Refusal.MALFORMED_JSON),
        (b'{"type":"create_team","type":"create_team"}', Refusal.DUPLICATE_KEY),
        (b'{"type":"create_team","n":9007199254740993}', Refusal.NUMBER_OUT_OF_RANGE),
        (b'{"type":"create_team","name":"\\u0000"}', Refusal.INVALID_TEXT),
        (b"[" * 33 + b"]" * 33, Refusal.TOO_DEEP),
    ],
)
def test_text_that_is_not_everyones_json_is_refused_with_its_own_code(text: bytes, code: Refusal) -> None:
    with pytest.raises(InvalidCommand) as caught:
        read_command(text)
    assert (caught.value.code, caught.value.pointer) == (code, "")


@pytest.mark.parametrize("value", [None, 1, "create_team", [], [CREATE], True])
def test_a_command_is_an_object(value: Json) -> None:
    assert refusal_of(value) == (Refusal.MALFORMED_COMMAND, "")


@pytest.mark.parametrize("kind", ["", "Create_team", "create_team ", None, 1, [], {}])
def test_an_unknown_type_is_refused_with_its_own_code(kind: Json) -> None:
    assert refusal_of({**CREATE, "type": kind}) == (Refusal.UNKNOWN_COMMAND_TYPE, "/type")


def test_a_command_without_a_type_is_of_no_known_type() -> None:
    assert refusal_of(without(CREATE, "type")) == (Refusal.UNKNOWN_COMMAND_TYPE, "/type")


@pytest.mark.parametrize("value", [CREATE, RECORD, EDIT])
def test_a_command_without_any_one_of_its_members_is_refused_there(value: Mapping[str, Json]) -> None:
    for name in value.keys() - {"type"}:
        code = Refusal.MALFORMED_COMMAND
        assert refusal_of(without(value, name)) == (code, f"/{name}")


@pytest.mark.parametrize(
    ("member", "wrong", "pointer"),
    [
        ("command_id", None, "/command_id"),
        ("command_id", 7, "/command_id"),
        ("command_id", COMMAND.upper(), "/command_id"),
        ("command_id", PATTERN, "/command_id"),
        ("occurred_at", 0, "/occurred_at"),
        ("occurred_at", "", "/occurred_at"),
        ("occurred_at", "2026-01-01", "/occurred_at"),
        ("occurred_at", "2026-01-01T00:00:00", "/occurred_at"),
        ("occurred_at", "2026-W01-1T00:00:00Z", "/occurred_at"),
        ("occurred_at", "2025-02-29T00:00:00Z", "/occurred_at"),
        ("occurred_at", "0001-01-01T00:00:00+14:00", "/occurred_at"),
        ("pattern_id", None, "/pattern_id"),
        ("pattern_id", "race", "/pattern_id"),
        ("pattern_id", "{" + PATTERN + "}", "/pattern_id"),
        ("base_version", None, "/base_version"),
        ("base_version", 0, "/base_version"),
        ("base_version", -1, "/base_version"),
        ("base_version", 1.0, "/base_version"),
        ("base_version", "1", "/base_version"),
        ("base_version", True, "/base_version"),
        ("set", None, "/set"),
        ("set", [], "/set"),
        ("remove", None, "/remove"),
        ("remove", "x", "/remove"),
        ("remove", {"x": 1}, "/remove"),
        ("remove", ["y", 1], "/remove/1"),
        ("remove", ["y", "z", "y"], "/remove/2"),
        ("remove", ["y", "x"], "/remove/1"),
        ("more", 1, "/more"),
        ("a/b~c", 1, "/a~1b~0c"),
        ("n" * 1000, 1, "/" + "n" * 255),
    ],
)
def test_a_member_of_the_wrong_shape_is_refused_there(member: str, wrong: Json, pointer: str) -> None:
    assert refusal_of({**EDIT, member: wrong}) == (Refusal.MALFORMED_COMMAND, pointer)


@pytest.mark.parametrize("name", [None, 1, "", " ", "\t\n\u3000", "n" * 256, "\U0001f9ea" * 256])
def test_a_team_without_a_name_or_with_too_long_a_one_is_refused(name: Json) -> None:
    assert refusal_of({**CREATE, "name": name}) == (Refusal.MALFORMED_COMMAND, "/name")


@pytest.mark.parametrize("fields", [None, [], "name", 1])
def test_a_patterns_fields_are_an_object(fields: Json) -> None:
    assert refusal_of({**RECORD, "fields": fields}) == (Refusal.MALFORMED_COMMAND, "/fields")


def test_a_pattern_is_recorded_with_a_name() -> None:
    assert refusal_of({**RECORD, "fields": {"x": 1}}) == (Refusal.INVALID_FIELD, "/fields/name")


def test_an_edit_leaves_a_pattern_its_name() -> None:
    assert refusal_of({**EDIT, "remove": ["y", "name"]}) == (Refusal.INVALID_FIELD, "/remove/1")
    assert refusal_of({**EDIT, "set": {"name": " "}}) == (Refusal.INVALID_FIELD, "/set/name")


def test_a_field_is_refused_where_it_stands() -> None:
    assert refusal_of({**RECORD, "fields": {"name": "x", "severity": "dire"}}) == (
        Refusal.INVALID_FIELD,
        "/fields/severity",
    )
    assert refusal_of({**EDIT, "set": {LONG: 1}}) == (Refusal.INVALID_FIELD, "/set/" + LONG[:255])
    assert refusal_of({**EDIT, "set": {"": 1}}) == (Refusal.INVALID_FIELD, "/set/")
    for name in ("", LONG):
        assert refusal_of({**EDIT, "remove": [name]}) == (Refusal.INVALID_FIELD, "/remove/0")


def test_an_edit_that_changes_nothing_is_refused() -> None:
    assert refusal_of({**EDIT, "set": {}}) == (Refusal.MALFORMED_COMMAND, "/set")
    assert refusal_of({**EDIT, "set": {}, "remove": []}) == (Refusal.MALFORMED_COMMAND, "/set")


def test_a_command_with_far_too_many_members_is_refused_before_they_are_looked_at() -> None:
    assert refusal_of({**CREATE, **{f"m{n}": n for n in range(13)}}) == (Refusal.MALFORMED_COMMAND, "/m0")
    assert refusal_of({**CREATE, **{f"m{n}": n for n in range(14)}}) == (Refusal.MALFORMED_COMMAND, "")
