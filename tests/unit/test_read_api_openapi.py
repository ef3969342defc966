"""OpenAPI describes what the read API takes and answers."""

from typing import Any

import pytest

from read_api.routes import router
from runtime.web import build_app
from tests.web import development

TEAM = "/api/v1/teams/{team_id}"
PATTERN = f"{TEAM}/patterns/{{pattern_id}}"
ORGANIZATION = "/api/v1/organizations/{organization_id}"
READING = {"at_least", "timeout"}
PAST = READING | {"as_of"}
PAGING = {"limit", "page"}
AUDIT = {"team_id", "from", "to", "actor", "action", "stream", "pattern_id", "text"}
LIST = READING | PAGING


def of_organization(names: set[str]) -> set[str]:
    """The parameters of a route of any log, where the log is an organization's."""
    return names - {"team_id"} | {"organization_id"}


ROUTES = {
    "/api/v1/teams": ("MyTeamsPage", PAGING),
    "/api/v1/organizations": ("MyOrganizationsPage", PAGING),
    f"{TEAM}/members": ("MembersPage", LIST | {"team_id"}),
    f"{TEAM}/invitations": ("InvitationsPage", LIST | {"team_id"}),
    f"{TEAM}/settings": ("SettingsPage", LIST | {"team_id"}),
    f"{TEAM}/settings/history": ("SettingsHistoryPage", LIST | {"team_id"}),
    ORGANIZATION: ("OrganizationDocument", READING | {"organization_id"}),
    f"{ORGANIZATION}/members": ("OrganizationMembersPage", LIST | {"organization_id"}),
    f"{ORGANIZATION}/invitations": ("InvitationsPage", LIST | {"organization_id"}),
    f"{ORGANIZATION}/teams": ("OrganizationTeamsPage", LIST | {"organization_id"}),
    f"{ORGANIZATION}/settings": ("OrganizationSettingsPage", LIST | {"organization_id"}),
    f"{ORGANIZATION}/settings/history": ("SettingsHistoryPage", LIST | {"organization_id"}),
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
    f"{TEAM}/audit/tree-head": ("TreeHeadDocument", READING | {"team_id", "size"}),
    f"{TEAM}/audit/tree-heads": ("TreeHeadsPage", READING | PAGING | {"team_id"}),
    f"{TEAM}/audit/proofs/inclusion": ("InclusionDocument", READING | {"team_id", "sequence", "size"}),
    f"{TEAM}/audit/proofs/consistency": ("ConsistencyDocument", READING | {"team_id", "from", "to"}),
    "/api/v1/audit/keys": ("SigningKeysDocument", set()),
    f"{TEAM}/merging": ("MergingDocument", READING | {"team_id"}),
    f"{TEAM}/audit": ("AuditPage", READING | PAGING | AUDIT | {"order"}),
    f"{TEAM}/audit/refusals": (
        "RefusalsPage",
        READING | PAGING | {"team_id", "from", "to", "actor", "code", "text", "order"},
    ),
}
STREAMS = {
    f"{TEAM}/audit/export": ({"application/x-ndjson", "text/csv"}, READING | AUDIT | {"format"}),
    f"{TEAM}/audit/log": ({"application/x-ndjson"}, READING | {"team_id", "from", "to"}),
}
ROUTES |= {
    path.replace(TEAM, ORGANIZATION): (shape, of_organization(names))
    for path, (shape, names) in ROUTES.items()
    if path.startswith(f"{TEAM}/audit")
}
STREAMS |= {
    path.replace(TEAM, ORGANIZATION): (types, of_organization(names))
    for path, (types, names) in STREAMS.items()
}
WITH_TAG = {
    *(f"{TEAM}/{name}" for name in ("patterns", "patterns/diff", "changes", "merging", "conflicts")),
    *(PATTERN, f"{PATTERN}/blame", f"{TEAM}/conflicts/{{conflict_id}}"),
}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return build_app("read", development(), [router], []).openapi()


def test_every_route_is_a_get_and_described(document: dict[str, Any]) -> None:
    paths = {path: operations for path, operations in document["paths"].items() if path.startswith("/api/")}
    assert set(paths) == {*ROUTES, *STREAMS}
    for operations in paths.values():
        assert set(operations) == {"get"}
        assert operations["get"]["summary"]
        assert operations["get"]["description"]


@pytest.mark.parametrize("path", [*ROUTES, *STREAMS])
def test_every_parameter_is_described(document: dict[str, Any], path: str) -> None:
    parameters = document["paths"][path]["get"].get("parameters", [])
    assert {parameter["name"] for parameter in parameters} == (ROUTES.get(path) or STREAMS[path])[1]
    assert all(parameter["description"] for parameter in parameters)


@pytest.mark.parametrize("path", ROUTES)
def test_every_answer_has_its_shape(document: dict[str, Any], path: str) -> None:
    responses = document["paths"][path]["get"]["responses"]
    schema = responses["200"]["content"]["application/json"]["schema"]
    assert schema == {"$ref": f"#/components/schemas/{ROUTES[path][0]}"}
    assert "422" not in responses
    assert ("304" in responses) == (path in WITH_TAG)


@pytest.mark.parametrize("path", STREAMS)
def test_every_stream_has_its_types(document: dict[str, Any], path: str) -> None:
    responses = document["paths"][path]["get"]["responses"]
    assert set(responses["200"]["content"]) == STREAMS[path][0]
