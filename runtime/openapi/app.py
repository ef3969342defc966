"""An app whose OpenAPI document tells of every operation what it takes and what it can answer."""

from typing import Any

from fastapi import FastAPI

from runtime.openapi.edge_problems import OF_THE_API, OF_THE_EDGE, OVERLOADED, TO_CALLERS
from runtime.openapi.examples import put_back
from runtime.openapi.organizations import name_of, name_organizations
from runtime.openapi.problems import (
    OF_BODIES,
    OF_PARAMETERS,
    SCHEMA,
    SCHEMA_NAME,
    add_problems,
    shared_examples,
)

TAGS = (
    {"name": "accounts", "description": "Making an account, its password and address, and ending it"},
    {"name": "sessions", "description": "Logging in, staying in, and getting out"},
    {"name": "keys", "description": "API keys, by which machines act for somebody"},
    {"name": "commands", "description": "Changes, and what became of them"},
    {"name": "members", "description": "Who belongs to teams and organizations"},
    {"name": "organizations", "description": "What has teams: its people, teams and settings"},
    {"name": "settings", "description": "What a team has chosen, and what its organization enforces"},
    {"name": "patterns", "description": "The library as it is, or was"},
    {"name": "changes", "description": "What happened since: to keep a copy in step"},
    {"name": "history", "description": "What happened to one pattern, and who wrote what"},
    {"name": "conflicts", "description": "Edits that could not be merged"},
    {"name": "merging", "description": "How edits are merged"},
    {"name": "audit", "description": "Who did what, and the proof of it"},
    {"name": "process", "description": "For those who run it"},
)
_CALLED = "/api/"
"""How the paths begin of which each operation asks who calls, unless it says `security` itself."""
_HEALTH = "/health/"
"""How the paths begin that are answered however much there is to do."""
_OF_FASTAPI = ("HTTPValidationError", "ValidationError")


class DescribedApp(FastAPI):
    """An app whose document is made whole: problems, the bearer token, names that stay as they are."""

    def __init__(self, **given: Any) -> None:
        super().__init__(generate_unique_id_function=name_of, openapi_tags=list(TAGS), **given)

    def openapi(self) -> dict[str, Any]:
        """The document; made once."""
        if self.openapi_schema is None:
            document = super().openapi()
            put_back(document, self.routes)
            name_organizations(document)
            complete(document)
        return super().openapi()


def complete(document: dict[str, Any]) -> None:
    """Add to each operation of a document what is said of none by itself."""
    for path, operations in document["paths"].items():
        for operation in operations.values():
            _complete(operation, is_called=path.startswith(_CALLED))
            add_problems(operation["responses"], () if path.startswith(_HEALTH) else OVERLOADED)
            operation["responses"] = dict(sorted(operation["responses"].items()))
    operations = [operation for item in document["paths"].values() for operation in item.values()]
    used = {tag for operation in operations for tag in operation.get("tags", ())}
    document["tags"] = [tag for tag in document.get("tags", []) if tag["name"] in used]
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for name in _OF_FASTAPI:
        schemas.pop(name, None)
    schemas[SCHEMA_NAME] = SCHEMA
    components["schemas"] = dict(sorted(schemas.items()))
    components["examples"] = dict(sorted(shared_examples(operations).items()))
    components["securitySchemes"] = {
        "bearer": {"type": "http", "scheme": "bearer", "description": "An access token, or an API key"}
    }


def _complete(operation: dict[str, Any], *, is_called: bool) -> None:
    responses = operation["responses"]
    if _OF_FASTAPI[0] in str(responses.get("422", "")):
        del responses["422"]
    if is_called:
        if operation.setdefault("security", [{"bearer": []}]):
            add_problems(responses, TO_CALLERS)
        if operation.get("parameters"):
            add_problems(responses, OF_PARAMETERS)
        if "requestBody" in operation:
            add_problems(responses, OF_BODIES)
        add_problems(responses, OF_THE_API)
    add_problems(responses, OF_THE_EDGE)
