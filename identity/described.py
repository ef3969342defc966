"""What OpenAPI says of the routes of identity: bodies, answers and problems, each with examples."""

from typing import Any

from pydantic import BaseModel

from events.json_schemas import inlined
from identity import account_problems, problems
from identity.examples import ANSWERS, BODIES, SESSION
from runtime.openapi.problems import Responses, add_problems
from runtime.problems import Problem

FOR_EVERYBODY: dict[str, Any] = {"security": []}
"""For `openapi_extra`: the route asks nobody who they are."""
AWAY = problems.identity_unavailable()
BUSY = account_problems.busy(2)
HASHING = (AWAY, BUSY)
"""What those can answer that look at a password."""
CONFIRMED = (
    *HASHING,
    account_problems.wrong_password("current_password"),
    account_problems.too_many_attempts(12),
    account_problems.no_account(),
    account_problems.session_required(),
)
"""What those can answer that ask for the present password again."""
OF_A_SESSION = (AWAY, account_problems.session_required())
"""What those can answer that are for people alone."""
_STRICT = (
    Problem("malformed_json", 400, "Expecting value at character 7"),
    Problem("duplicate_key", 400, "the key 'name' stands twice in one object"),
    Problem("number_out_of_range", 400, "integers beyond 2^53-1 are not read alike by JSON readers"),
    Problem("invalid_text", 400, "U+0000 cannot be stored"),
    Problem("too_deep", 400, "nested deeper than 32"),
)
OF_FORMS = (*_STRICT, account_problems.malformed_account("username", "Field required"))
"""What can be wrong with the bodies of accounts."""
OF_BODIES = (
    *_STRICT,
    Problem("invalid_body", 400, "/name: Field required", pointer="/name"),
    Problem("unsupported_media_type", 415, "send `Content-Type: application/json`"),
)
"""What can be wrong with those of sessions and keys."""
UNKNOWN_SESSION = problems.unknown_session(SESSION)
UNKNOWN_KEY = problems.unknown_key(SESSION)
TOO_MANY_KEYS = problems.too_many_keys(100)
LOGGING_IN = (
    *HASHING,
    account_problems.invalid_credentials(),
    account_problems.too_many_attempts(12),
    problems.token_revoked("all sessions were ended while you logged in: log in again"),
)
REFRESHING = (AWAY, problems.bad_refresh_token(), problems.token_expired(), problems.token_revoked())
VERIFYING = (AWAY, account_problems.bad_one_time_token(), account_problems.email_taken())
UNFIT = account_problems.weak_password("among the first that are guessed", "new_password")
RESETTING = (*HASHING, UNFIT, account_problems.bad_one_time_token())
REGISTERING = (*HASHING, UNFIT, account_problems.username_taken())


def answers(status: int, model: type[BaseModel] | None, *more: Problem) -> Responses:
    """A route's answers: of this shape if it has one, and these problems."""
    responses: Responses = {}
    if model is not None:
        example = {"application/json": {"example": ANSWERS[model.__name__]}}
        responses[status] = {"model": model, "description": _first_line(model), "content": example}
    add_problems(responses, more)
    return responses


def body_of(form: type[BaseModel]) -> dict[str, Any]:
    """What a route takes; at run time it is read strictly, which FastAPI does not."""
    content = {"schema": inlined(form.model_json_schema()), "example": _example_of(form)}
    return {"requestBody": {"required": True, "content": {"application/json": content}}}


def _example_of(form: type[BaseModel]) -> Any:
    known = BODIES.get(form.__name__)
    if known is not None:
        return known
    properties = form.model_json_schema()["properties"]
    return {name: field["examples"][0] for name, field in properties.items()}


def _first_line(model: type[BaseModel]) -> str:
    return (model.__doc__ or "").partition("\n")[0].rstrip(".")
