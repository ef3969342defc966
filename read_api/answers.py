"""What OpenAPI says of each route's answers: their shape, an example, and the problems there can be."""

from typing import Any

from pydantic import BaseModel

from read_api import examples, people_examples, problems
from read_api.examples import PATTERN, TEAM
from read_api.people_examples import ORGANIZATION
from runtime.openapi.problems import Responses, add_problems
from runtime.problems import Problem

ANYWHERE = (problems.DatabaseUnavailable(""),)
FORBIDDEN = problems.forbidden("your role has no right to manage")
_OF_A_LOG = (
    FORBIDDEN,
    problems.bad_cursor("not a cursor"),
    problems.cursor_of_another_team(),
    problems.log_changed(TEAM),
    problems.not_yet_visible(),
    *ANYWHERE,
)
OF_A_TEAM = (problems.unknown_team(TEAM), *_OF_A_LOG)
"""What each route of a team can answer."""
OF_AN_ORGANIZATION = (problems.unknown_organization(ORGANIZATION), *_OF_A_LOG)
"""What each route of an organization can answer."""
OF_EITHER = (*OF_A_TEAM, OF_AN_ORGANIZATION[0])
"""What each route can answer that stands under both."""
PAGED = (problems.bad_page(),)
UNKNOWN_PATTERN = problems.unknown_pattern(PATTERN)
PATTERN_DELETED = problems.pattern_deleted(PATTERN)
UNKNOWN_CONFLICT = problems.unknown_conflict(PATTERN)
NO_TREE_HEAD = problems.no_tree_head(9)
PROVED = (
    problems.proof_out_of_range("sequence <= size", 9),
    problems.damaged_tree("no hashes at level 0, index 0"),
)
LOG_INCOMPLETE = problems.log_incomplete(7)

_EXAMPLES = {**examples.EXAMPLES, **people_examples.EXAMPLES}
_ETAG = {"ETag": {"description": "For `If-None-Match`", "schema": {"type": "string"}}}


def answers(
    model: type[BaseModel], *more: Problem, etag: bool, always: tuple[Problem, ...] = OF_A_TEAM
) -> Responses:
    """A route's answers: of this shape, and 304 for a client that holds it, where it has an entity tag."""
    content = {"application/json": {"example": _EXAMPLES[model.__name__]}}
    answer: dict[str, Any] = {"model": model, "content": content, "description": first_line(model)}
    responses: Responses = {200: answer}
    if etag:
        answer["headers"] = _ETAG
        responses[304] = {"description": "What `If-None-Match` names is current", "headers": _ETAG}
    add_problems(responses, (*always, *more))
    return responses


def streams(description: str, *more: Problem, **examples: str) -> Responses:
    """The answers of a route that streams text: an example by media type (its `/` and `-` as `_`)."""
    content = {
        media_type: {"schema": {"type": "string"}, "example": examples[name]}
        for name, media_type in _STREAMED.items()
        if name in examples
    }
    responses: Responses = {200: {"content": content, "description": description}}
    add_problems(responses, (*OF_EITHER, *more))
    return responses


_STREAMED = {"ndjson": "application/x-ndjson", "csv": "text/csv"}


def first_line(model: type[BaseModel]) -> str:
    """What a shape is, in a line."""
    return (model.__doc__ or "").partition("\n")[0].rstrip(".")
