"""The shapes of the command API's answers, for OpenAPI alone: no model is made of an answer."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

CommandId = Annotated[str | None, Field(description="Null where the record held no command")]


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ClashDocument(_Answer):
    """The fields of an edit that clash, and the version that they met."""

    conflict_id: Annotated[str | None, Field(description="Not of one that is kept nowhere")] = None
    current_version: int
    fields: list[str]


class MemberDocument(_Answer):
    """What became of one command of a batch."""

    status: Literal["accepted", "merged"]
    pattern_id: str | None = None
    version: int
    sequence: int


class OutcomeDocument(BaseModel):
    """The one outcome of a command; refusals tell more, by their code."""

    model_config = ConfigDict(extra="allow")

    command_id: CommandId
    status: Literal["accepted", "merged", "conflict", "rejected"]
    recorded_at: Annotated[str, Field(description="When the command was recorded, RFC 3339")]
    repeat: Annotated[bool, Field(description="Whether the command was answered before")]
    pattern_id: str | None = None
    version: Annotated[int | None, Field(description="Of the stream, after it")] = None
    sequence: Annotated[int | None, Field(description="Of its last event in the team's log")] = None
    cursor: Annotated[str | None, Field(description="Read with it as `at_least` and see the write")] = None
    code: Annotated[str | None, Field(description="Of a refusal or a conflict")] = None
    detail: str | None = None
    conflict: ClashDocument | None = None
    outcomes: Annotated[list[MemberDocument] | None, Field(description="Of a batch, in order")] = None


class PendingDocument(_Answer):
    """Stands for an outcome that is not known yet."""

    command_id: str
    status: Literal["pending"]
    url: Annotated[str, Field(description="Where the outcome will be")]


class OutcomesDocument(_Answer):
    """The outcomes of many commands, in their order."""

    outcomes: list[OutcomeDocument | PendingDocument]


class InvitedDocument(_Answer):
    """A new invitation."""

    invitation_id: str
    token: Annotated[str, Field(description="For whoever is invited; it is told once")]
    expires_at: Annotated[str, Field(description="RFC 3339")]
    outcome: OutcomeDocument | PendingDocument


class ChangedMember(BaseModel):
    """What became of a row."""

    model_config = ConfigDict(extra="allow")

    index: Annotated[int, Field(ge=0, description="Of the row, from 0")]
    status: Literal["accepted", "merged", "rejected", "pending", "invalid", "unknown"]
    member: Annotated[str | None, Field(description="Whom it is about, by id")] = None
    code: Annotated[str | None, Field(description="Why it had no effect, or not all of it")] = None
    detail: str | None = None
    outcomes: Annotated[list[dict[str, Any]] | None, Field(description="Of its commands")] = None


class MembersDocument(_Answer):
    """What became of a list of members."""

    batch_id: str
    counts: Annotated[dict[str, int], Field(description="How many rows there are of each status")]
    rows: Annotated[list[ChangedMember], Field(description="In the order of the list")]


class ImportedRow(BaseModel):
    """What became of a row."""

    model_config = ConfigDict(extra="allow")

    index: Annotated[int, Field(ge=0, description="Of the row, from 0")]
    status: Literal["accepted", "merged", "conflict", "rejected", "pending", "invalid", "unknown", "valid"]
    command_id: CommandId = None
    pattern_id: str | None = None
    code: Annotated[str | None, Field(description="Why it is not in the library")] = None
    detail: str | None = None
    pointer: Annotated[str | None, Field(description="Of an invalid row: where in the file")] = None
    version: int | None = None
    sequence: int | None = None
    cursor: str | None = None
    url: Annotated[str | None, Field(description="Of a pending row: where its outcome will be")] = None
    repeat: bool | None = None


class ImportDocument(_Answer):
    """What became of a file's rows."""

    import_id: str
    dry_run: bool
    counts: Annotated[dict[str, int], Field(description="How many rows there are of each status")]
    rows: Annotated[list[ImportedRow], Field(description="In the order of the file")]
