"""Problems in OpenAPI: the statuses and codes with which a route can answer, each with an example.

An example is a `Problem` as the code raises it, so that a document cannot tell of one that there is not.
"""

from collections.abc import Iterable
from typing import Any

from runtime.openapi.edge_problems import TOLD_IN_HEADERS
from runtime.problems import MEDIA_TYPE, Problem, body_of

Responses = dict[int | str, dict[str, Any]]

SCHEMA_NAME = "Problem"
SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": "A problem document (RFC 9457); docs/problems.md explains each code",
    "required": ["type", "title", "status", "code", "detail", "request_id"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "description": "Stable; made for programs"},
        "detail": {"type": "string", "description": "Made for people; its words may change"},
        "request_id": {"type": "string"},
    },
}
REQUEST_ID = "3bab0fa6893cb3b37f14c5c77e03c499"
_CODES = "; or a problem: "

OF_PARAMETERS = (
    Problem(
        "invalid_parameter",
        400,
        "team_id: must be a UUID in canonical lower-case form",
        parameter="team_id",
    ),
)
OF_BODIES = (Problem("body_too_large", 413, "a body has at most 8388608 bytes", limit=8388608),)


def answered_with(*problems: Problem) -> Responses:
    """What a route has to list as `responses` so that these are documented."""
    responses: Responses = {}
    add_problems(responses, problems)
    return responses


def add_problems(responses: Responses, problems: Iterable[Problem]) -> None:
    """Document more problems among responses, beside what they have of the same status."""
    for problem in problems:
        status = problem.status if problem.status in responses else _key(responses, problem.status)
        response = responses.setdefault(status, {})
        content = response.setdefault("content", {}).setdefault(MEDIA_TYPE, {})
        content["schema"] = {"$ref": f"#/components/schemas/{SCHEMA_NAME}"}
        examples = content.setdefault("examples", {})
        if problem.code not in examples:
            examples[problem.code] = {"value": body_of(problem, REQUEST_ID)}
        if told_in := set(problem.headers or ()) & set(TOLD_IN_HEADERS):
            response.setdefault("headers", {}).update(_headers(told_in))
        codes = ", ".join(f"`{code}`" for code in examples)
        told = response.get("description", "").partition(_CODES)[0]
        response["description"] = f"{told}{_CODES}{codes}" if told else codes


def shared_examples(operations: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Take the problems' examples out of operations, by code; those of other words stay where they are."""
    shared: dict[str, Any] = {}
    for operation in operations:
        for response in operation["responses"].values():
            examples = response.get("content", {}).get(MEDIA_TYPE, {}).get("examples", {})
            for code, example in examples.items():
                if shared.setdefault(code, example) == example:
                    examples[code] = {"$ref": f"#/components/examples/{code}"}
    return shared


def _headers(names: Iterable[str]) -> dict[str, Any]:
    return {
        name: {"description": TOLD_IN_HEADERS[name], "schema": {"type": "string"}} for name in sorted(names)
    }


def _key(responses: Responses, status: int) -> int | str:
    """In a finished document statuses are text."""
    return str(status) if any(isinstance(key, str) for key in responses) else status
