"""What requests may say: types of parameters, and one strict way to read a query."""

from typing import Annotated
from urllib.parse import parse_qsl

from fastapi import Path, Request
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, FiniteFloat, StringConstraints

from events.identifiers import canonical_uuid
from read_api.examples import HELD_UP, PATTERN, TEAM
from read_api.problems import invalid_parameter

MAX_TEXT = 1024
MAX_WAIT_S = 30.0


def _storable(text: str) -> str:
    if "\x00" in text:
        raise ValueError("must not hold U+0000: nothing stored does")
    return text


Id = Annotated[str, AfterValidator(canonical_uuid), Field(json_schema_extra={"format": "uuid"})]
TeamId = Annotated[Id, Path(description="The team's UUID, in canonical form", examples=[TEAM])]
PatternId = Annotated[Id, Path(description="The pattern's UUID, in canonical form", examples=[PATTERN])]
ConflictId = Annotated[Id, Path(description="The conflict's UUID, in canonical form", examples=[HELD_UP])]
Text = Annotated[str, StringConstraints(min_length=1, max_length=MAX_TEXT), AfterValidator(_storable)]


class Reading(BaseModel):
    """What every route takes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    at_least: Annotated[
        str | None, Field(description="A cursor: wait until its change is visible (read your writes)")
    ] = None
    timeout: Annotated[
        FiniteFloat, Field(ge=0, le=MAX_WAIT_S, description="Seconds that `at_least` waits at the most")
    ] = 5.0


class PastReading(Reading):
    """What routes take that can look back."""

    as_of: Annotated[
        str | None,
        Field(description="A cursor, or a recorded time (RFC 3339): answer as things were then"),
    ] = None


async def check_query(request: Request) -> None:
    """Refuse a query that can be read in two ways: not UTF-8, or with a parameter that stands twice."""
    query = request.scope["query_string"].decode("latin-1")
    seen: set[str] = set()
    for name, value in parse_qsl(query, keep_blank_values=True, errors="surrogateescape"):
        if not (query.isascii() and _is_unicode(name + value)):
            raise invalid_parameter(name, "must be UTF-8, percent-encoded")
        if name in seen:
            raise invalid_parameter(name, "must not be given twice")
        seen.add(name)


def _is_unicode(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
