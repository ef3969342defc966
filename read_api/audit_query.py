"""Which events of a team an auditor asks for, as a scan of its audit."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

import orjson
from pydantic import AfterValidator, Field

from events.pattern import pattern_id_of, stream_of
from events.registry import TYPES
from events.shapes import Stream, is_time
from events.upcasters import OLDER_TYPES
from read_api.audit_rows import FIRST_SINCE, AuditRow, Way, folded, needle_of, row_of, walk_statement
from read_api.paging import MAX_ORDINAL
from read_api.parameters import Id, Reading, Text
from read_api.problems import invalid_parameter, unknown_team
from read_api.reader import Reader
from read_api.scanning import Order, Scan, Shown

_COMMON = frozenset({"pattern.recorded", "pattern.edited"})
"""What nearly all events are, and what no index finds."""


def _time(text: str) -> str:
    if not is_time(text):
        raise ValueError("must be a time such as 2026-03-03T00:00:00Z (RFC 3339)")
    return text


Time = Annotated[str, AfterValidator(_time)]


class TimeSpan(Reading):
    """Between which recorded times; spans that follow one another miss nothing and show nothing twice."""

    from_: Annotated[
        Time | None,
        Field(
            alias="from",
            description="Recorded at this time (RFC 3339) or later",
            examples=["2026-03-01T00:00:00Z"],
        ),
    ] = None
    to: Annotated[
        Time | None, Field(description="Recorded before this time", examples=["2026-04-01T00:00:00Z"])
    ] = None

    @property
    def times(self) -> tuple[datetime, datetime]:
        """The first moment that is in it, and the first after it; raise `Problem` where there is none."""
        begin = _EARLIEST if self.from_ is None else datetime.fromisoformat(self.from_)
        end = _LATEST if self.to is None else datetime.fromisoformat(self.to)
        if begin > end:
            raise invalid_parameter("from", "must not be later than `to`")
        return begin, end


_EARLIEST, _LATEST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


class AuditFilters(TimeSpan):
    """Which events; filters combine."""

    actor: Annotated[Text | None, Field(description="Of this actor, by id", examples=["u-ada"])] = None
    action: Annotated[
        str | None,
        Field(
            description="Of this type, with its version or of any",
            examples=["pattern.edited", "team.created.v1"],
        ),
    ] = None
    stream: Annotated[Stream | None, Field(description="Of this stream", examples=["team"])] = None
    pattern_id: Annotated[Id | None, Field(description="Of this pattern's stream")] = None
    text: Annotated[
        Text | None,
        Field(description="In what the event says, or in what it took away; upper and lower case are alike"),
    ] = None

    @property
    def question(self) -> list[str | None]:
        """What a page token is good for."""
        span = [self.from_, self.to]
        return [*span, self.actor, self.action, self.stream, self.pattern_id, self.text]


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """The filters, read: `values` are looked up by way of an index, and what that finds may be accepted."""

    way: Way
    values: tuple[str, ...]
    accepts: Callable[[AuditRow], bool]


def read_filters(filters: AuditFilters) -> Wanted:
    """What is asked for, and how to come to it; raise `Problem` 400 `invalid_parameter`."""
    stream, types = _stream(filters), _types(filters.action)
    needle = None if filters.text is None else needle_of(filters.text)

    def accepts(row: AuditRow) -> bool:
        return (
            (filters.actor is None or row.actor == filters.actor)
            and (types is None or row.type in types)
            and (needle is None or needle in folded(row.data) or needle in folded(row.before or ""))
        )

    way, values = _way(filters, stream, types)
    return Wanted(way=way, values=values, accepts=accepts)


def _way(
    filters: AuditFilters, stream: str | None, types: tuple[str, ...] | None
) -> tuple[Way, tuple[str, ...]]:
    """The index that leaves the least to look at, and what to look up in it."""
    if stream is not None:
        pattern_id = pattern_id_of(stream)
        return ("stream", (stream,)) if pattern_id is None else ("pattern", (pattern_id,))
    if types is not None and not _COMMON & {_name(one) for one in types}:
        return "type", types
    return ("log", ()) if filters.actor is None else ("actor", (filters.actor,))


async def scan_of(
    reader: Reader, team_id: str, filters: AuditFilters, order: Order, tell: Callable[[AuditRow], bytes]
) -> Scan:
    """The scan of what is asked for; raise `Problem`."""
    wanted = read_filters(filters)
    low, high = await _sequences(reader, team_id, filters)

    def show(item: bytes) -> Shown | None:
        row = row_of(item)
        return ((row.sequence,), tell(row)) if wanted.accepts(row) else None

    return Scan(
        team_id=team_id,
        statement=walk_statement(wanted.way, order, len(wanted.values)),
        order=order,
        low=(low,),
        high=(high,),
        show=show,
        arguments=wanted.values,
    )


def tell_json(row: AuditRow) -> bytes:
    """An entry as JSON."""
    return orjson.dumps(row.entry)


async def _sequences(reader: Reader, team_id: str, span: TimeSpan) -> tuple[int, int]:
    """The sequences between which the span lies."""
    begin, end = span.times
    low = 0 if span.from_ is None else await _first_since(reader, team_id, begin) - 1
    high = MAX_ORDINAL if span.to is None else await _first_since(reader, team_id, end)
    return low, high


async def _first_since(reader: Reader, team_id: str, moment: datetime) -> int:
    row = await reader.database.row(FIRST_SINCE, team_id, moment)
    if row is None or row["sequence"] is None:
        raise unknown_team(team_id)
    return int(row["sequence"])


def _stream(filters: AuditFilters) -> str | None:
    if filters.pattern_id is None:
        return filters.stream
    stream = stream_of(filters.pattern_id)
    if filters.stream not in (None, stream):
        raise invalid_parameter("pattern_id", "must be that of `stream`, if both are given")
    return stream


def _types(action: str | None) -> tuple[str, ...] | None:
    if action is None:
        return None
    types = tuple(one for one in (*TYPES, *OLDER_TYPES) if action in (one, _name(one)))
    if not types:
        raise invalid_parameter("action", "is no type of event; see docs/events.md for those there are")
    return types


def _name(event_type: str) -> str:
    return event_type.rpartition(".")[0]
