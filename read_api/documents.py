"""The answers' shapes, for OpenAPI alone: answers are ready-made JSON text and no model is made of them."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from events.merge_rules import Policy, Rule
from events.pattern import Choice, ConflictField, Present

ConflictStatus = Literal["open", "resolved", "abandoned", "deleted"]


class Document(BaseModel):
    """What an answer holds, and nothing else."""

    model_config = ConfigDict(extra="forbid")


class PatternDocument(Document):
    """A live or archived pattern."""

    pattern_id: str
    version: Annotated[int, Field(description="Of the pattern, from 1 and without gaps")]
    sequence: Annotated[int, Field(description="Of the pattern's last event in the team's log")]
    status: Literal["live", "archived"]
    fields: Annotated[dict[str, Any], Field(description="As written, unknown fields included")]


class Tombstone(Document):
    """What is left of a deleted pattern."""

    pattern_id: str
    version: int
    sequence: int
    status: Literal["deleted"]


class PatternsPage(Document):
    """A page of patterns."""

    patterns: list[PatternDocument]
    next_page: Annotated[str | None, Field(description="For `page`; null on the last page")]
    cursor: Annotated[str, Field(description="Where the team's log stood: for `at_least` or `changes`")]


class ChangesPage(Document):
    """A page of changes."""

    changes: list[PatternDocument | Tombstone]
    cursor: Annotated[str, Field(description="Where to go on")]
    has_more: Annotated[bool, Field(description="Whether there is more already")]


class SideDocument(Document):
    """A pattern at one of two points."""

    version: int
    sequence: Annotated[int, Field(description="Of the pattern's last event up to the point")]
    status: Literal["live", "archived"]


class FieldDiffDocument(Document):
    """A field that differs; null where the pattern does not have it."""

    before: Present | None
    after: Present | None


class DifferenceDocument(Document):
    """A pattern that is not the same at both points."""

    pattern_id: str
    change: Annotated[
        Literal["added", "removed", "changed", "archived", "restored"],
        Field(description="One that was archived or restored can have changed, too: see `fields`"),
    ]
    before: Annotated[SideDocument | None, Field(description="At the earlier point; null: not there yet")]
    after: Annotated[SideDocument | None, Field(description="At the later point; null: deleted")]
    fields: Annotated[dict[str, FieldDiffDocument], Field(description="Those that differ")]


class DiffPage(Document):
    """A page of what differs between two points."""

    differences: list[DifferenceDocument]
    next_page: Annotated[str | None, Field(description="For `page`; null on the last page")]
    from_: Annotated[str, Field(alias="from", description="The earlier point, as a cursor")]
    to: Annotated[str, Field(description="The later point, as a cursor")]


class EventDocument(Document):
    """Which event, who made it and when."""

    version: Annotated[int, Field(description="Of the pattern")]
    sequence: Annotated[int, Field(description="In the team's log")]
    type: str
    actor: str
    command_id: str
    request_id: str
    occurred_at: Annotated[str, Field(description="The client's claim, RFC 3339")]
    recorded_at: Annotated[str, Field(description="When the command was recorded, RFC 3339")]


class VersionDocument(EventDocument):
    """One event of a pattern, and the pattern's fields after it (null once it is deleted)."""

    data: dict[str, Any]
    fields: dict[str, Any] | None


class HistoryPage(Document):
    """A page of a pattern's versions."""

    versions: list[VersionDocument]
    next_page: Annotated[str | None, Field(description="For `page`; null on the last page")]


Hash = Annotated[
    str, Field(description="SHA-256 in base64", examples=["47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="])
]
Size = Annotated[int, Field(description="Number of events that the tree is over")]


class TreeHeadDocument(Document):
    """A signed tree head; the note is all that counts."""

    origin: Annotated[str, Field(description="The log's name in its heads, for ever")]
    size: Size
    root: Hash
    signed_at: Annotated[str, Field(description="The time that the note states, RFC 3339")]
    note: Annotated[str, Field(description="C2SP tlog-checkpoint, with the cosignatures of witnesses")]


class TreeHeadsPage(Document):
    """A page of tree heads."""

    tree_heads: list[TreeHeadDocument]
    next_page: Annotated[str | None, Field(description="For `page`; null on the last page")]


class SigningKeysDocument(Document):
    """Who signs tree heads."""

    name: Annotated[str | None, Field(description="Of the keys; null: nothing is signed")]
    keys: Annotated[list[str], Field(description="Those that sign now, as vkeys (C2SP signed-note)")]
    notes: Annotated[list[str], Field(description="Signed notes that name the keys in use, the oldest first")]


class InclusionDocument(Document):
    """A proof that an event is in a tree."""

    sequence: Annotated[int, Field(description="Of the event; its leaf is the one before in number")]
    size: Size
    leaf: Hash
    root: Hash
    path: Annotated[list[Hash], Field(description="From the leaf up")]


class ConsistencyDocument(Document):
    """A proof that a tree begins with an earlier one."""

    from_: Annotated[int, Field(alias="from", description="Size of the earlier tree")]
    to: Annotated[int, Field(description="Size of the later tree")]
    from_root: Hash
    to_root: Hash
    path: list[Hash]


class ClosingDocument(EventDocument):
    """The event that ended a conflict."""

    choices: Annotated[
        dict[str, Choice] | None, Field(description="Of a resolution, by field: where its value is from")
    ] = None


class ConflictDocument(EventDocument):
    """An edit that could not be merged: the event that says so, and what became of it."""

    pattern_id: str
    conflict_id: Annotated[str, Field(description="The id of the command that edited")]
    base_version: Annotated[int, Field(description="The version that the editor had seen")]
    own: Annotated[dict[str, int], Field(description="Fields that the editor wrote after it, and when")]
    base_known: Annotated[bool, Field(description="Whether `base` says anything")]
    fields: Annotated[dict[str, ConflictField], Field(description="Every field of the edit")]
    status: ConflictStatus
    closed: Annotated[ClosingDocument | None, Field(description="How it ended; null while it is open")]


class ConflictsPage(Document):
    """A page of conflicts."""

    conflicts: list[ConflictDocument]
    next_page: Annotated[str | None, Field(description="For `page`; null on the last page")]
    cursor: Annotated[str, Field(description="Where the team's log stood: for `at_least` or `changes`")]


class MergingDocument(Document):
    """How a library merges."""

    policy: Annotated[Policy, Field(description="What becomes of edits that do not merge")]
    rules: Annotated[dict[str, Rule], Field(description="Of every known field, and of the library's own")]
    own: Annotated[list[str], Field(description="The fields whose rules the library chose")]
    default: Annotated[Rule, Field(description="The rule of every other field")]
    cursor: Annotated[str, Field(description="Where the team's log stood")]


class FieldBlameDocument(Document):
    """Where a field's present value is from."""

    version: Annotated[int, Field(description="That last set it")]
    lines: Annotated[
        list[int | None] | None,
        Field(description="Of a text, the version that each line is from; null: not looked for any further"),
    ] = None
    before: Annotated[int | None, Field(description="The lines with null are older than this version")] = None


class BlameDocument(Document):
    """Which event each field of a pattern, and each line of its texts, is from."""

    pattern_id: str
    version: Annotated[int, Field(description="Of the pattern")]
    versions: Annotated[dict[str, EventDocument], Field(description="By version, those that are named")]
    fields: dict[str, FieldBlameDocument]
    cursor: Annotated[str, Field(description="Where the team's log stood")]
