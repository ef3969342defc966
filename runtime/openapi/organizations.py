"""Routes of any log, which stand under teams and under organizations: each gets a name of its own."""

from typing import Any

from fastapi.routing import APIRoute

_TWICE = "/api/v1/organizations/{team_id}"
_NAMED = "/api/v1/organizations/{organization_id}"
_TEAM = "The team's"
_ORGANIZATION = "The organization's"


def name_of(route: APIRoute) -> str:
    """The function's name: a path may change its form, and clients that were made of it stay good."""
    return f"{route.name}_of_organization" if route.path.startswith(_TWICE) else str(route.name)


def name_organizations(document: dict[str, Any]) -> None:
    """Call an organization's id by its name in the document: in a path names are there for readers alone."""
    paths = document["paths"]
    for path in [path for path in paths if path.startswith(_TWICE)]:
        paths[path.replace(_TWICE, _NAMED)] = operations = paths.pop(path)
        for operation in operations.values():
            operation["parameters"] = [_renamed(one) for one in operation["parameters"]]


def _renamed(parameter: dict[str, Any]) -> dict[str, Any]:
    if (parameter["name"], parameter["in"]) != ("team_id", "path"):
        return parameter
    told = parameter["description"].replace(_TEAM, _ORGANIZATION)
    schema = {**parameter["schema"], "title": "Organization Id", "description": told}
    return {**parameter, "name": "organization_id", "description": told, "schema": schema}
