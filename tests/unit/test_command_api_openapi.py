"""OpenAPI describes every command, alone and among others."""

from collections.abc import Iterator
from typing import Any, get_args

import pytest

from command_api.decisions.commands import Command
from command_api.routes import router
from runtime.web import build_app
from tests.web import development

URL = "/api/v1/teams/{team_id}/commands"


@pytest.fixture(scope="module")
def body() -> dict[str, Any]:
    document = build_app("commands", development(), [router], []).openapi()
    content = document["paths"][URL]["post"]["requestBody"]["content"]
    schema: dict[str, Any] = content["application/json"]["schema"]
    return schema


def parts(node: object) -> Iterator[object]:
    yield node
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from parts(child)


def test_every_command_is_described_with_the_type_that_it_needs(body: dict[str, Any]) -> None:
    *alone, many = body["oneOf"]
    described = [schema["properties"]["type"]["const"] for schema in alone]
    assert described == [kind.type for kind in get_args(Command)]
    for schema in alone:
        assert schema["description"]
        assert {"type", "command_id"} <= set(schema["required"])
    assert many["properties"]["commands"]["items"]["oneOf"] == alone


def test_a_description_stands_on_its_own(body: dict[str, Any]) -> None:
    assert [part for part in parts(body) if isinstance(part, dict) and {"$ref", "$defs"} & part.keys()] == []
