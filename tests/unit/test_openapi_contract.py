"""The contract of the HTTP API: whole, with an example of everything, and in docs/openapi.json as it is."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from command_api.decisions.commands import command_from
from command_api.decisions.refusals import Refusal
from command_api.examples import COMMANDS, ORGANIZATION_COMMANDS
from command_api.refusal_examples import DETAILS
from runtime.problems import MEDIA_TYPE
from tools.generate_openapi import PAGE, document, text

DOCUMENT = document()
OPERATIONS = {
    f"{method.upper()} {path}": operation
    for path, operations in DOCUMENT["paths"].items()
    for method, operation in operations.items()
}
PROBLEMS = (Path(__file__).parents[2] / "docs" / "problems.md").read_text("utf-8")
ROWS = dict(re.findall(r"^\| `([a-z_]+)` \| (\d{3}) \|", PROBLEMS, re.MULTILINE))
WITHOUT_BODY = {"204", "304"}
EMPTY = {("202", "ask_for_password"), ("202", "resend_verification")}
"""They say that a mail is to be sent, and nothing more."""

BY_ROW = {"import_patterns", "change_members"}
"""Each row is a command, and is refused by itself."""
FOR_EVERYBODY = {
    *("register", "log_in", "refresh_session", "ask_for_password", "reset_password", "verify_email"),
    *("get_token_keys", "live", "ready", "metrics"),
}

OF_THE_API = {name: told for name, told in OPERATIONS.items() if " /api/" in name}
OF_A_TEAM = {
    name: told for name, told in OPERATIONS.items() if "{team_id}" in name or "{organization_id}" in name
}

every_operation = pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)


def examples_of(content: dict[str, Any]) -> list[Any]:
    """The examples of one media type."""
    single = [content["example"]] if "example" in content else []
    return single + [value_of(example) for example in content.get("examples", {}).values()]


def value_of(example: dict[str, Any]) -> Any:
    """An example's value, which may stand among those that are shared."""
    name = example.get("$ref", "").removeprefix("#/components/examples/")
    return (DOCUMENT["components"]["examples"][name] if name else example)["value"]


def contents(operation: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each media type of a body, and of every response."""
    bodies = [operation["requestBody"]] if "requestBody" in operation else []
    for body in (*bodies, *operation["responses"].values()):
        yield from body.get("content", {}).items()


def problems_of(operation: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Status, code and body of each problem that an operation documents."""
    for status, response in operation["responses"].items():
        for code, example in response.get("content", {}).get(MEDIA_TYPE, {}).get("examples", {}).items():
            yield status, code, value_of(example)


def check(schema: dict[str, Any], value: Any) -> None:
    whole = {**schema, "components": DOCUMENT["components"]}
    jsonschema_rs.Draft202012Validator(whole).validate(value)


def test_the_document_in_docs_is_the_one_of_the_code() -> None:
    assert PAGE.read_text("utf-8") == text(), "run: python -m tools.generate_openapi"


def test_every_operation_has_a_name_of_its_own() -> None:
    names = [operation["operationId"] for operation in OPERATIONS.values()]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z]+(_[a-z0-9]+)*", name) for name in names)


@every_operation
def test_every_operation_says_what_it_is_for(operation: dict[str, Any]) -> None:
    assert operation["summary"]
    assert operation["description"]
    assert set(operation["tags"]) <= {tag["name"] for tag in DOCUMENT["tags"] if tag["description"]}
    assert all(response["description"] for response in operation["responses"].values())
    assert all(parameter["description"] for parameter in operation.get("parameters", []))


@every_operation
def test_everything_that_is_sent_or_answered_has_an_example_that_fits(operation: dict[str, Any]) -> None:
    for media_type, content in contents(operation):
        assert content["schema"], media_type
        found = examples_of(content)
        assert found, media_type
        for example in found:
            check(content["schema"], example)


@every_operation
def test_every_parameter_that_has_to_be_given_has_an_example_that_fits(operation: dict[str, Any]) -> None:
    for parameter in operation.get("parameters", []):
        found = parameter["schema"].get("examples", [])
        assert found or not parameter["required"], parameter["name"]
        for example in found:
            check(parameter["schema"], example)


@every_operation
def test_every_status_says_how_it_looks(operation: dict[str, Any]) -> None:
    assert "default" not in operation["responses"]
    for status, response in operation["responses"].items():
        is_empty = status in WITHOUT_BODY or (status, operation["operationId"]) in EMPTY
        assert bool(response.get("content")) != is_empty, status
        if int(status) >= 400 and status != "503":
            assert set(response["content"]) == {MEDIA_TYPE}


@every_operation
def test_every_problem_has_its_code_and_status(operation: dict[str, Any]) -> None:
    found = list(problems_of(operation))
    everywhere = {"internal_error", "stopping", "request_timeout", "target_too_long", "headers_too_large"}
    assert everywhere <= {code for _, code, _ in found}
    for status, code, body in found:
        assert (body["code"], str(body["status"])) == (code, status)
        assert ROWS[code] == status


@every_operation
def test_who_has_to_say_who_they_are_is_told(operation: dict[str, Any]) -> None:
    asked = operation.get("security", []) == [{"bearer": []}]
    codes = {code for _, code, _ in problems_of(operation)}
    assert asked == ("auth_unavailable" in codes)
    assert not asked or {"unauthenticated", "token_expired", "token_revoked"} <= codes
    assert asked or operation["operationId"] in FOR_EVERYBODY


@pytest.mark.parametrize("operation", OF_THE_API.values(), ids=OF_THE_API)
def test_every_route_of_the_api_can_refuse_who_asks_too_much_and_says_when_to_ask_again(
    operation: dict[str, Any],
) -> None:
    assert {"rate_limited", "unsupported_version"} <= {code for _, code, _ in problems_of(operation)}
    assert {"Retry-After", "RateLimit", "RateLimit-Policy"} <= set(operation["responses"]["429"]["headers"])


@pytest.mark.parametrize("operation", OF_A_TEAM.values(), ids=OF_A_TEAM)
def test_every_route_of_a_team_or_an_organization_can_refuse_who_has_no_right(
    operation: dict[str, Any],
) -> None:
    codes = {code for _, code, _ in problems_of(operation)}
    assert "forbidden" in codes
    strangers = {"unknown_team", "unknown_organization", "unknown_command"}
    assert codes & strangers or operation["operationId"] in BY_ROW


@pytest.mark.parametrize(
    ("key", "commands"),
    [("teams/{team_id}", COMMANDS), ("organizations/{organization_id}", ORGANIZATION_COMMANDS)],
    ids=["teams", "organizations"],
)
def test_every_command_has_an_example_that_is_one(key: str, commands: Mapping[str, Any]) -> None:
    post = OPERATIONS[f"POST /api/v1/{key}/commands"]
    shown = post["requestBody"]["content"]["application/json"]["examples"]
    kinds = set(commands)
    assert {schema["properties"]["type"]["const"] for schema in _alternatives(post)} == kinds
    assert {command_from(shown[kind]["value"]).type for kind in kinds} == kinds


def _alternatives(post: dict[str, Any]) -> list[dict[str, Any]]:
    alone: list[dict[str, Any]]
    *alone, _ = post["requestBody"]["content"]["application/json"]["schema"]["oneOf"]
    return alone


def test_every_refusal_has_an_example_with_words_of_its_own() -> None:
    post = OPERATIONS["POST /api/v1/teams/{team_id}/commands"]
    assert set(Refusal) <= {code for _, code, _ in problems_of(post)}
    assert set(DETAILS) == set(Refusal)
