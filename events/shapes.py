"""The shapes of what an envelope's attributes hold."""

import re
from datetime import UTC, datetime
from typing import Annotated

from pydantic import Field

from events.identifiers import UUID_PATTERN

_DATE = "[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
_CLOCK = r"([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,9})?"
_OFFSET = "(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])"
_TIME_PATTERN = f"{_DATE}T{_CLOCK}{_OFFSET}"
_RFC_3339 = re.compile(_TIME_PATTERN)

Uuid = Annotated[str, Field(pattern=f"^{UUID_PATTERN}$")]
"""A UUID as canonical lower-case text."""

Stream = Annotated[str, Field(pattern=f"^[a-z_]+(/{UUID_PATTERN})?$")]
"""A stream of a log: of its one aggregate of a kind, or of the one with that id."""

EventType = Annotated[str, Field(pattern="^[a-z_]+\\.[a-z_]+\\.v[0-9]+$")]
"""An aggregate, what happened to it, and the version of the data's shape."""

Hash = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
"""SHA-256 as lower-case hex."""

Time = Annotated[str, Field(pattern=f"^{_TIME_PATTERN}$")]
"""A time as RFC 3339 writes it, upper-case, at the most nanoseconds."""

Person = Annotated[str, Field(pattern="^[A-Za-z0-9._@-]{1,64}$")]
"""The id of somebody who has an account. Ids with a colon are those of the service's own parts."""

Text = Annotated[str, Field(min_length=1)]
Ordinal = Annotated[int, Field(ge=1)]
Index = Annotated[int, Field(ge=0)]


def utc_text(moment: datetime) -> str:
    """A moment as RFC 3339 writes it, in UTC and to the millisecond."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def is_time(text: str) -> bool:
    """Whether the text is an RFC 3339 time that exists, from year 1 to 9999 in UTC too."""
    if _RFC_3339.fullmatch(text) is None:
        return False
    try:
        datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        return False
    return True
