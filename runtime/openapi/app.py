"""An app whose OpenAPI document tells of every operation what it takes and what it can answer."""

from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute

from runtime.openapi.examples import put_back
from runtime.openapi.problems import (
    ALWAYS,
    OF_BODIES,
    OF_PARAMETERS,
    SCHEMA,
    SCHEMA_NAME,
    TO_CALLERS,
    add_problems,
    shared_examples,
)

TAGS = (
    {"name": "commands", "description": "Changes, and what became of them"},
    {"name": "members", "description": "Who belongs to teams and organizations"},
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
_OF_FASTAPI = ("HTTPValidationError", "ValidationError")


class DescribedApp(FastAPI):
    """An app whose document is made whole: problems, the bearer token, names that stay as they are."""

    def __init__(self, **given: Any) -> None:
        super().__init__(generate_unique_id_function=_name_of, openapi_tags=list(TAGS), **given)

    def openapi(self) -> dict[str, Any]:
        """The document; made once."""
        if self.openapi_schema is None:
            document = super().openapi()
            put_back(document, self.routes)
            complete(document)
        return super().openapi()


def complete(document: dict[str, Any]) -> None:
    """Add to each operation of a document what is said of none by itself."""
    for path, operations in document["paths"].items():
        for operation in operations.values():
            _complete(operation, is_called=path.startswith(_CALLED))
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
    add_problems(responses, ALWAYS)
    operation["responses"] = dict(sorted(responses.items()))


def _name_of(route: APIRoute) -> str:
    """The function's name: a path may change its form, and clients that were made of it stay good."""
    return route.name
