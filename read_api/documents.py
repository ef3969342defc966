"""The answers' shapes, for OpenAPI alone: answers are ready-made JSON text and no model is made of them."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class _Document(BaseModel):
    model_config = ConfigDict(extra="forbid")


class PatternDocument(_Document):
    """A live or archived pattern."""

    pattern_id: str
    version: Annotated[int, Field(description="Of the pattern, from 1 and without gaps")]
    sequence: Annotated[int, Field(description="Of the pattern's last event in the team's log")]
    status: Literal["live", "archived"]
    fields: Annotated[dict[str, Any], Field(description="As written, unknown fields included")]


class Tombstone(_Document):
    """What is left of a deleted pattern."""

    pattern_id: str
    version: int
    sequence: int
    status: Literal["deleted"]


class PatternsPage(_Document):
    """A page of patterns."""

    patterns: list[PatternDocument]
    next_page: Annotated[str | None, Field(description="For `page`; null on the last page")]
    cursor: Annotated[str, Field(description="Where the team's log stood: for `at_least` or `changes`")]


class ChangesPage(_Document):
    """A page of changes."""

    changes: list[PatternDocument | Tombstone]
    cursor: Annotated[str, Field(description="Where to go on")]
    has_more: Annotated[bool, Field(description="Whether there is more already")]


class VersionDocument(_Document):
    """One event of a pattern, and the pattern's fields after it (null once it is deleted)."""

    version: int
    sequence: int
    type: str
    actor: str
    command_id: str
    request_id: str
    occurred_at: Annotated[str, Field(description="The client's claim, RFC 3339")]
    recorded_at: Annotated[str, Field(description="When the command was recorded, RFC 3339")]
    data: dict[str, Any]
    fields: dict[str, Any] | None


class HistoryPage(_Document):
    """A page of a pattern's versions."""

    versions: list[VersionDocument]
    next_page: Annotated[str | None, Field(description="For `page`; null on the last page")]


Responses = dict[int | str, dict[str, Any]]
_ETAG = {"ETag": {"description": "For `If-None-Match`", "schema": {"type": "string"}}}


def answers(model: type[BaseModel], *, etag: bool) -> Responses:
    """A route's answers: of this shape, and 304 for a client that holds it, where it has an entity tag."""
    if not etag:
        return {200: {"model": model}}
    return {
        200: {"model": model, "headers": _ETAG},
        304: {"description": "What `If-None-Match` names is current", "headers": _ETAG},
    }
