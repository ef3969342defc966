"""What the server's answers look like, checked before anything of them is used."""

from dataclasses import dataclass as plain_dataclass
from typing import Annotated, Any, Literal, TypeVar

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from events.cursor import BadCursor, Cursor, parse_cursor
from sync_client.errors import UnexpectedAnswer

_Shape = TypeVar("_Shape")

# Members that a newer server adds are passed over; what is used must be there and be of its type.
_OPEN = ConfigDict(extra="ignore", strict=True)

_Count = Annotated[int, Field(ge=1)]
_Id = Annotated[str, Field(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]


@dataclass(frozen=True, kw_only=True, slots=True, config=_OPEN)
class PatternItem:
    """A live or archived pattern in the changes."""

    pattern_id: _Id
    version: _Count
    sequence: _Count
    status: Literal["live", "archived"]
    fields: dict[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True, config=_OPEN)
class Tombstone:
    """A deleted pattern in the changes."""

    pattern_id: _Id
    version: _Count
    sequence: _Count
    status: Literal["deleted"]


Change = PatternItem | Tombstone


@dataclass(frozen=True, kw_only=True, slots=True, config=_OPEN)
class _Page:
    changes: list[Annotated[Change, Field(discriminator="status")]]
    cursor: str
    has_more: bool


@dataclass(frozen=True, kw_only=True, slots=True, config=_OPEN)
class Accepted:
    """A command became events; `cursor` is where its sender can see them."""

    command_id: _Id
    status: Literal["accepted", "merged"]
    version: _Count
    sequence: _Count
    cursor: str


@dataclass(frozen=True, kw_only=True, slots=True, config=_OPEN)
class ConflictOn:
    """What a conflict is about, and its id in the pattern."""

    conflict_id: _Id
    current_version: _Count
    fields: list[str]


@dataclass(frozen=True, kw_only=True, slots=True, config=_OPEN)
class Conflicting:
    """A command edits what somebody else changed, and became a conflict in the log."""

    command_id: _Id
    status: Literal["conflict"]
    code: str
    detail: str
    conflict: ConflictOn
    cursor: str


@dataclass(frozen=True, kw_only=True, slots=True, config=_OPEN)
class Rejected:
    """A command was refused."""

    command_id: _Id
    status: Literal["rejected"]
    code: str
    detail: str


@dataclass(frozen=True, kw_only=True, slots=True, config=_OPEN)
class Unanswered:
    """A command was taken, and its outcome is not known yet."""

    command_id: _Id
    status: Literal["pending"]


Answer = Accepted | Conflicting | Rejected | Unanswered


@dataclass(frozen=True, kw_only=True, slots=True, config=_OPEN)
class _Outcomes:
    outcomes: list[Annotated[Answer, Field(discriminator="status")]]


@dataclass(frozen=True, kw_only=True, slots=True, config=_OPEN)
class ProblemDocument:
    """An RFC 9457 problem with Patternlog's stable code."""

    code: str
    detail: str | None = None
    pointer: str | None = None


_PAGE: TypeAdapter[_Page] = TypeAdapter(_Page)
_OUTCOMES: TypeAdapter[_Outcomes] = TypeAdapter(_Outcomes)
_ANSWER: TypeAdapter[Answer] = TypeAdapter(Annotated[Answer, Field(discriminator="status")])
_PROBLEM: TypeAdapter[ProblemDocument] = TypeAdapter(ProblemDocument)


@plain_dataclass(frozen=True, kw_only=True, slots=True)
class ChangesPage:
    """Changes in order of their sequence, and where to go on."""

    changes: list[Change]
    cursor: Cursor
    has_more: bool


def read_outcomes(body: bytes) -> list[Answer]:
    """The answers to a batch; raise `UnexpectedAnswer`."""
    return read_shape(_OUTCOMES, body).outcomes


def read_answer(body: bytes) -> Answer:
    """The answer to a question about one command; raise `UnexpectedAnswer`."""
    return read_shape(_ANSWER, body)


def read_page(body: bytes) -> ChangesPage:
    """A page of changes; raise `UnexpectedAnswer`."""
    page = read_shape(_PAGE, body)
    return ChangesPage(changes=page.changes, cursor=read_cursor(page.cursor), has_more=page.has_more)


def read_cursor(text: str) -> Cursor:
    """A cursor from an answer; raise `UnexpectedAnswer`."""
    try:
        return parse_cursor(text)
    except BadCursor as error:
        raise UnexpectedAnswer(f"cursor: {error}") from None


def read_problem(body: bytes) -> ProblemDocument | None:
    """A problem document; None for any other body: a proxy's page is no refusal."""
    try:
        return _PROBLEM.validate_json(body)
    except ValidationError:
        return None


def read_shape(adapter: TypeAdapter[_Shape], body: bytes) -> _Shape:
    """An answer of a shape; raise `UnexpectedAnswer` for any other."""
    try:
        return adapter.validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise UnexpectedAnswer(f"the answer is not Patternlog's: {where or 'body'}: {first['msg']}") from None
