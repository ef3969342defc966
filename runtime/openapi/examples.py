"""Examples as they were given: FastAPI leaves out each null of a document, also where an answer has it."""

from collections.abc import Iterator, Sequence
from typing import Any

from fastapi.routing import APIRoute, iter_route_contexts
from starlette.routing import BaseRoute

_EXAMPLES = ("example", "examples")


def put_back(document: dict[str, Any], routes: Sequence[BaseRoute]) -> None:
    """Put the routes' own examples into the document that was made of them."""
    for context in iter_route_contexts(routes):
        route = context.original_route
        if not isinstance(route, APIRoute) or context.path_format not in document["paths"]:
            continue
        for method in route.methods or ():
            operation = document["paths"][context.path_format].get(method.lower())
            if operation is not None:
                _put_back(operation, route)


def _put_back(operation: dict[str, Any], route: APIRoute) -> None:
    for described, given in _described(operation, route):
        for media_type, content in given.get("content", {}).items():
            examples = {name: content[name] for name in _EXAMPLES if name in content}
            described["content"][media_type].update(examples)


def _described(operation: dict[str, Any], route: APIRoute) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """What an operation sends and answers, in the document and as the route gave it."""
    for status, given in route.responses.items():
        yield operation["responses"][str(status)], given
    body = (route.openapi_extra or {}).get("requestBody")
    if body is not None:
        yield operation["requestBody"], body
