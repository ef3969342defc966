"""OpenAPI describes what the read API takes and answers."""

from typing import Any

import pytest

from read_api.routes import router
from runtime.web import build_app
from tests.web import development

TEAM = "/api/v1/teams/{team_id}"
PATTERN = f"{TEAM}/patterns/{{pattern_id}}"
READING = {"at_least", "timeout"}
PAST = READING | {"as_of"}
PAGING = {"limit", "page"}
ROUTES = {
    f"{TEAM}/patterns": (
        "PatternsPage",
        PAST | PAGING | {"team_id", "status", "category", "severity", "tag", "name", "sort"},
    ),
    f"{TEAM}/patterns/diff": ("DiffPage", READING | PAGING | {"team_id", "from", "to"}),
    f"{TEAM}/changes": ("ChangesPage", READING | {"team_id", "cursor", "limit"}),
    PATTERN: ("PatternDocument", PAST | {"team_id", "pattern_id"}),
    f"{PATTERN}/history": ("HistoryPage", PAST | PAGING | {"team_id", "pattern_id", "order"}),
    f"{PATTERN}/blame": ("BlameDocument", READING | {"team_id", "pattern_id"}),
    f"{TEAM}/conflicts": ("ConflictsPage", PAST | PAGING | {"team_id", "status", "pattern_id"}),
    f"{TEAM}/conflicts/{{conflict_id}}": ("ConflictDocument", PAST | {"team_id", "conflict_id"}),
    f"{TEAM}/merging": ("MergingDocument", READING | {"team_id"}),
}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return build_app("read", development(), [router], []).openapi()


def test_every_route_is_a_get_and_described(document: dict[str, Any]) -> None:
    paths = {path: operations for path, operations in document["paths"].items() if path.startswith("/api/")}
    assert set(paths) == set(ROUTES)
    for operations in paths.values():
        assert set(operations) == {"get"}
        assert operations["get"]["summary"]
        assert operations["get"]["description"]


@pytest.mark.parametrize("path", ROUTES)
def test_every_parameter_is_described(document: dict[str, Any], path: str) -> None:
    parameters = document["paths"][path]["get"]["parameters"]
    assert {parameter["name"] for parameter in parameters} == ROUTES[path][1]
    assert all(parameter["description"] for parameter in parameters)


@pytest.mark.parametrize("path", ROUTES)
def test_every_answer_has_its_shape(document: dict[str, Any], path: str) -> None:
    responses = document["paths"][path]["get"]["responses"]
    schema = responses["200"]["content"]["application/json"]["schema"]
    assert schema == {"$ref": f"#/components/schemas/{ROUTES[path][0]}"}
    assert set(responses["default"]["content"]) == {"application/problem+json"}
    assert "422" not in responses
    assert ("304" in responses) == (not path.endswith("history"))
