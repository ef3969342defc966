"""OpenAPI describes every command, alone and among others."""

from collections.abc import Iterator
from typing import Any, get_args

import pytest

from command_api.decisions.commands import Command
from command_api.offered import OFFERED, SYSTEM_ONLY, Collection
from command_api.routes import router
from runtime.web import build_app
from tests.web import development

URLS = {
    Collection.TEAMS: "/api/v1/teams/{team_id}/commands",
    Collection.ORGANIZATIONS: "/api/v1/organizations/{organization_id}/commands",
}


@pytest.fixture(scope="module", params=Collection)
def collection(request: pytest.FixtureRequest) -> Collection:
    return Collection(request.param)


@pytest.fixture(scope="module")
def body(collection: Collection) -> dict[str, Any]:
    document = build_app("commands", development(), [router], []).openapi()
    content = document["paths"][URLS[collection]]["post"]["requestBody"]["content"]
    schema: dict[str, Any] = content["application/json"]["schema"]
    return schema


def parts(node: object) -> Iterator[object]:
    yield node
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from parts(child)


def test_every_command_but_the_services_own_is_sent_somewhere() -> None:
    offered = {name for names in OFFERED.values() for name in names}
    assert offered | SYSTEM_ONLY == {kind.type for kind in get_args(Command)}
    assert not offered & SYSTEM_ONLY


def test_every_command_is_described_with_the_type_that_it_needs(
    body: dict[str, Any], collection: Collection
) -> None:
    *alone, many = body["oneOf"]
    described = [schema["properties"]["type"]["const"] for schema in alone]
    assert described == list(OFFERED[collection])
    for schema in alone:
        assert schema["description"]
        assert {"type", "command_id"} <= set(schema["required"])
    assert many["properties"]["commands"]["items"]["oneOf"] == alone


def test_a_description_stands_on_its_own(body: dict[str, Any]) -> None:
    assert [part for part in parts(body) if isinstance(part, dict) and {"$ref", "$defs"} & part.keys()] == []
