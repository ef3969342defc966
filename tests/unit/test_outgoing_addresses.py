"""No address that this service calls comes from a request."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

OPENAPI = json.loads((Path(__file__).parents[2] / "docs" / "openapi.json").read_text())
TELLING = ("url", "uri", "href", "host", "callback", "webhook", "endpoint", "address", "link")


def resolved(node: Any, seen: tuple[str, ...] = ()) -> Any:
    """A part of the document with what it refers to in place."""
    if isinstance(node, list):
        return [resolved(one, seen) for one in node]
    if not isinstance(node, dict):
        return node
    reference = node.get("$ref")
    if not isinstance(reference, str):
        return {name: resolved(value, seen) for name, value in node.items()}
    if reference in seen:
        return {}
    found: Any = OPENAPI
    for part in reference.removeprefix("#/").split("/"):
        found = found[part]
    return resolved(found, (*seen, reference))


def members_in(node: Any) -> Iterator[str]:
    """The names of members that a schema has anywhere."""
    if isinstance(node, list):
        for one in node:
            yield from members_in(one)
    elif isinstance(node, dict):
        if isinstance(node.get("properties"), dict):
            yield from node["properties"]
        for value in node.values():
            yield from members_in(value)


def test_no_member_and_no_parameter_of_a_request_is_an_address_to_call() -> None:
    names: set[str] = set()
    for operations in OPENAPI["paths"].values():
        for operation in operations.values():
            names |= {*members_in(resolved(operation.get("requestBody", {})))}
            names |= {one["name"] for one in resolved(operation.get("parameters", []))}
    assert {"password", "member", "at_least"} <= names
    assert [name for name in sorted(names) if any(word in name.lower() for word in TELLING)] == []
