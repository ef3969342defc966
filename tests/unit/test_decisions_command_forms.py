"""Settings, bases, conflicts and batches as commands: what is taken, what is refused, and where."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from command_api.decisions.commands import (
    MAX_MEMBERS,
    Batch,
    InvalidCommand,
    command_from,
    members_of,
    read_command,
)
from command_api.decisions.refusals import Refusal
from command_api.decisions.team_commands import SetMerging
from events.json_text import Json
from events.merge_rules import Policy, Rule
from tests.commands import (
    COMMAND,
    CONFLICT,
    EARLIER,
    PATTERN,
    archive,
    create_team,
    delete,
    edit,
    record,
    resolve,
)
from tests.unit.test_decisions_commands import CREATE, EDIT, LONG, RECORD, refusal_of, without

MERGING: Mapping[str, Json] = {"command_id": COMMAND, "type": "set_merging", "policy": "reject"}
RESOLVE: Mapping[str, Json] = {
    "command_id": COMMAND,
    "type": "resolve_conflict",
    "pattern_id": PATTERN,
    "conflict_id": CONFLICT,
}
ABANDON: Mapping[str, Json] = {**RESOLVE, "type": "abandon_conflict"}
ARCHIVE: Mapping[str, Json] = {"command_id": COMMAND, "type": "archive_pattern", "pattern_id": PATTERN}
MALFORMED, INVALID = Refusal.MALFORMED_COMMAND, Refusal.INVALID_FIELD


def batch(*commands: Json, **more: Json) -> dict[str, Json]:
    return {"command_id": COMMAND, "type": "batch", "commands": list(commands), **more}


# ---------------------------------------------------------------- how a library merges


def test_a_library_is_told_its_policy_its_rules_or_both() -> None:
    rules = {"x-notes": "text", "x-old": None}
    assert command_from(MERGING) == SetMerging(command_id=COMMAND, policy=Policy.REJECT, rules={})
    assert command_from({**without(MERGING, "policy"), "rules": rules}) == SetMerging(
        command_id=COMMAND, policy=None, rules={"x-notes": Rule.TEXT, "x-old": None}
    )


@pytest.mark.parametrize(
    ("members", "code", "pointer"),
    [
        ({"policy": None}, MALFORMED, "/policy"),
        ({"policy": None, "rules": {}}, MALFORMED, "/policy"),
        ({"policy": "strict"}, MALFORMED, "/policy"),
        ({"policy": 1}, MALFORMED, "/policy"),
        ({"rules": None}, MALFORMED, "/rules"),
        ({"rules": ["x"]}, MALFORMED, "/rules"),
        ({"rules": {"x": "sum"}}, MALFORMED, "/rules/x"),
        ({"rules": {"x": {}}}, MALFORMED, "/rules/x"),
        ({"rules": {"x": "text", "": "text"}}, INVALID, "/rules/"),
        ({"rules": {LONG: "text"}}, INVALID, f"/rules/{LONG[:255]}"),
        ({"rules": {"tags": "value"}}, INVALID, "/rules/tags"),
        ({"rules": {"name": None}}, INVALID, "/rules/name"),
        ({"more": 1}, MALFORMED, "/more"),
    ],
)
def test_a_wrong_setting_is_refused_where_it_stands(
    members: dict[str, Json], code: Refusal, pointer: str
) -> None:
    assert refusal_of({**MERGING, **members}) == (code, pointer)


# ---------------------------------------------------------------- what a sender had seen


def test_an_edit_is_based_on_a_version_on_an_earlier_command_or_on_both() -> None:
    chained = {**without(EDIT, "base_version"), "base_command": EARLIER}
    assert command_from(EDIT) == edit(1, x=1)
    assert command_from(chained) == edit(EARLIER, x=1)
    assert command_from({**chained, "base_version": 3}) == edit(EARLIER, seen=3, x=1)
    assert command_from({**EDIT, "policy": "reject"}) == edit(1, under=Policy.REJECT, x=1)


def test_archiving_and_the_like_may_have_a_base() -> None:
    assert command_from({**ARCHIVE, "base_version": 3}) == archive(base_version=3)
    assert command_from({**ARCHIVE, "base_command": EARLIER}) == archive(base_command=EARLIER)
    assert command_from({**ARCHIVE, "base_version": None}) == archive()


@pytest.mark.parametrize("value", [without(EDIT, "base_version"), ARCHIVE])
@pytest.mark.parametrize("base", [7, "x", PATTERN, COMMAND.upper(), []])
def test_a_base_command_is_a_commands_id(value: Mapping[str, Json], base: Json) -> None:
    assert refusal_of({**value, "base_command": base}) == (MALFORMED, "/base_command")


@pytest.mark.parametrize("base", [0, -1, 1.0, "1", True])
def test_a_base_version_is_a_version(base: Json) -> None:
    for value in (ARCHIVE, RESOLVE):
        assert refusal_of({**value, "base_version": base}) == (MALFORMED, "/base_version")


@pytest.mark.parametrize("value", [RECORD, CREATE, ABANDON])
def test_what_has_no_base_is_given_none(value: Mapping[str, Json]) -> None:
    assert refusal_of({**value, "base_command": EARLIER}) == (MALFORMED, "/base_command")


def test_the_policy_of_an_edit_is_one_of_three() -> None:
    assert refusal_of({**EDIT, "policy": "strict"}) == (MALFORMED, "/policy")
    assert refusal_of({**ARCHIVE, "policy": "merge"}) == (MALFORMED, "/policy")


# ---------------------------------------------------------------- conflicts


def test_a_resolution_decides_field_by_field() -> None:
    given = {"take": {"a": "mine", "b": "theirs"}, "rest": "mine", "set": {"c": 1}, "remove": ["d"]}
    assert command_from({**RESOLVE, **given, "base_version": 4}) == resolve(
        "d", at=4, take={"a": "mine", "b": "theirs"}, rest="mine", c=1
    )
    assert command_from(RESOLVE) == resolve()


@pytest.mark.parametrize(
    ("members", "code", "pointer"),
    [
        ({"conflict_id": None}, MALFORMED, "/conflict_id"),
        ({"conflict_id": PATTERN}, MALFORMED, "/conflict_id"),
        ({"pattern_id": "x"}, MALFORMED, "/pattern_id"),
        ({"take": None}, MALFORMED, "/take"),
        ({"take": ["x"]}, MALFORMED, "/take"),
        ({"take": {"x": "ours"}}, MALFORMED, "/take/x"),
        ({"take": {"x": None}}, MALFORMED, "/take/x"),
        ({"rest": "merged"}, MALFORMED, "/rest"),
        ({"set": {"severity": "dire"}}, INVALID, "/set/severity"),
        ({"set": {"": 1}}, INVALID, "/set/"),
        ({"remove": ["name"]}, INVALID, "/remove/0"),
        ({"remove": [""]}, INVALID, "/remove/0"),
        ({"take": {"x": "mine"}, "set": {"x": 1}}, MALFORMED, "/set/x"),
        ({"take": {"x": "mine"}, "remove": ["y", "x"]}, MALFORMED, "/remove/1"),
        ({"set": {"x": 1}, "remove": ["x"]}, MALFORMED, "/remove/0"),
        ({"policy": "merge"}, MALFORMED, "/policy"),
    ],
)
def test_a_wrong_resolution_is_refused_where_it_is_wrong(
    members: dict[str, Json], code: Refusal, pointer: str
) -> None:
    assert refusal_of({**RESOLVE, **members}) == (code, pointer)


@pytest.mark.parametrize("value", [RESOLVE, ABANDON])
@pytest.mark.parametrize("name", ["command_id", "pattern_id", "conflict_id"])
def test_the_end_of_a_conflict_names_it_and_its_pattern(value: Mapping[str, Json], name: str) -> None:
    assert refusal_of(without(value, name)) == (MALFORMED, f"/{name}")


def test_a_conflict_is_abandoned_as_a_whole() -> None:
    assert refusal_of({**ABANDON, "take": {"x": "mine"}}) == (MALFORMED, "/take")


# ---------------------------------------------------------------- batches


def test_a_batch_holds_commands_under_its_own_id() -> None:
    members = [without(value, "command_id") for value in (CREATE, RECORD, EDIT)]
    value = batch(*members, {"type": "delete_pattern", "pattern_id": PATTERN})
    command, same = read_command(json.dumps(value).encode())
    assert (command, same) == (Batch(command_id=COMMAND, commands=value["commands"]), value)
    assert isinstance(command, Batch)
    assert members_of(command) == (create_team(), record(), edit(1, x=1), delete())


def member(value: Mapping[str, Any], **changes: Json) -> dict[str, Json]:
    return {**without(value, "command_id"), **changes}


@pytest.mark.parametrize(
    ("commands", "code", "pointer"),
    [
        (None, MALFORMED, "/commands"),
        ({}, MALFORMED, "/commands"),
        ([], MALFORMED, "/commands"),
        ([member(EDIT), 1], MALFORMED, "/commands/1"),
        ([member(EDIT), None], MALFORMED, "/commands/1"),
        ([member(EDIT), []], MALFORMED, "/commands/1"),
        ([EDIT], MALFORMED, "/commands/0"),
        ([member(EDIT, occurred_at="2026-01-01T00:00:00Z")], MALFORMED, "/commands/0"),
        ([member(EDIT), {"type": "batch", "commands": [member(EDIT)]}], MALFORMED, "/commands/1"),
        ([member(EDIT), {}], Refusal.UNKNOWN_COMMAND_TYPE, "/commands/1/type"),
        ([member(EDIT, type="edit")], Refusal.UNKNOWN_COMMAND_TYPE, "/commands/0/type"),
        ([member(EDIT, base_version=0)], MALFORMED, "/commands/0/base_version"),
        ([without(EDIT, "command_id", "base_version")], MALFORMED, "/commands/0/base_version"),
        ([member(EDIT, remove=["y", "y"])], MALFORMED, "/commands/0/remove/1"),
        ([member(RECORD, fields={"name": " "})], INVALID, "/commands/0/fields/name"),
        ([member(RECORD, fields={"a/b": 1})], INVALID, "/commands/0/fields/name"),
        ([member(CREATE, name="")], MALFORMED, "/commands/0/name"),
        ([member(MERGING, rules={"tags": "text"})], INVALID, "/commands/0/rules/tags"),
        ([member(RESOLVE, take={"a/b": "ours"})], MALFORMED, "/commands/0/take/a~1b"),
        ([member(EDIT, **{f"m{n}": n for n in range(12)})], MALFORMED, "/commands/0"),
    ],
)
def test_a_wrong_batch_is_refused_where_it_is_wrong(commands: Json, code: Refusal, pointer: str) -> None:
    assert refusal_of({**batch(), "commands": commands}) == (code, pointer)


def test_a_batch_has_members_of_its_own_alone() -> None:
    assert refusal_of(batch(member(EDIT), base_version=1)) == (MALFORMED, "/base_version")
    assert refusal_of(without(batch(member(EDIT)), "command_id")) == (MALFORMED, "/command_id")
    assert refusal_of(without(batch(), "commands")) == (MALFORMED, "/commands")


def test_a_batch_holds_up_to_500_commands() -> None:
    most = [member(ARCHIVE)] * MAX_MEMBERS
    assert isinstance(command_from(batch(*most)), Batch)
    assert refusal_of(batch(*most, member(ARCHIVE))) == (MALFORMED, "/commands")


def test_a_batch_is_no_deeper_than_any_command() -> None:
    deep: Json = 1
    for _ in range(29):
        deep = [deep]
    fitting = json.dumps(batch(member(RECORD, fields={"name": "n", "x": deep[0]}))).encode()
    assert isinstance(read_command(fitting)[0], Batch)
    with pytest.raises(InvalidCommand) as caught:
        read_command(json.dumps(batch(member(RECORD, fields={"name": "n", "x": deep}))).encode())
    assert caught.value.code is Refusal.TOO_DEEP
