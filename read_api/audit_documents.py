"""The shapes of the audit's answers, for OpenAPI alone."""

from typing import Annotated

from pydantic import Field

from events.pattern import Present
from read_api.documents import Document


class OriginDocument(Document):
    """From where a command came."""

    address: str | None
    user_agent: str | None
    credential: Annotated[str | None, Field(description="The session or the key by which it was sent")]


class ChangeDocument(Document):
    """What an event made of a field; null where it was not there."""

    before: Present | None
    after: Present | None


class AuditEntryDocument(Document):
    """One event: who did what and when, and what it changed."""

    sequence: Annotated[int, Field(description="In the team's log")]
    stream: Annotated[str, Field(description="`team`, or `patterns/<pattern id>`")]
    version: Annotated[int, Field(description="Of the stream")]
    type: str
    actor: str
    command_id: str
    request_id: str
    occurred_at: Annotated[str, Field(description="The client's claim, RFC 3339")]
    recorded_at: Annotated[str, Field(description="When the command was recorded, RFC 3339")]
    changes: Annotated[dict[str, ChangeDocument], Field(description="By field, what the event changed")]
    origin: Annotated[OriginDocument | None, Field(description="Null where it is not kept (any more)")]


class AuditPage(Document):
    """A page of events."""

    entries: list[AuditEntryDocument]
    next_page: Annotated[str | None, Field(description="For `page`; null on the last page")]
    cursor: Annotated[str, Field(description="Where the team's log stood")]


class RefusalDocument(Document):
    """A command that was refused; null is what its record did not tell."""

    command_id: str | None
    code: str
    detail: str | None
    actor: str | None
    request_id: str | None
    command_type: str | None
    stream: Annotated[str | None, Field(description="That it wanted to change")]
    occurred_at: Annotated[str | None, Field(description="The client's claim, RFC 3339")]
    recorded_at: Annotated[str, Field(description="When the command was recorded, RFC 3339")]
    origin: Annotated[OriginDocument | None, Field(description="Null where it is not kept (any more)")]


class RefusalsPage(Document):
    """A page of refusals."""

    refusals: list[RefusalDocument]
    next_page: Annotated[str | None, Field(description="For `page`; null on the last page")]
    cursor: Annotated[str, Field(description="Where the team's log stood")]
