"""The statement of a list of patterns: filters, sorts and the place to go on from."""

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter

from events.cursor import Cursor
from projectors.schema.library import facet
from read_api.pages import merged_rows, page_statement
from read_api.paging import ORDINAL
from read_api.parameters import Id, PastReading, Text
from read_api.points import CURRENT

MAX_LIMIT = 1000

Status = Literal["live", "archived", "any"]
Severity = Literal["low", "medium", "high", "critical"]
SortName = Literal["name", "-name", "updated", "-updated"]


class PatternsQuery(PastReading):
    """Which patterns, in which order; filters combine."""

    status: Annotated[Status, Field(description="Which patterns")] = "live"
    category: Annotated[Text | None, Field(description="Exactly this category")] = None
    severity: Annotated[Severity | None, Field(description="Exactly this severity")] = None
    tag: Annotated[Text | None, Field(description="Among the tags")] = None
    name: Annotated[Text | None, Field(description="Exactly this name, composed (NFC) or decomposed")] = None
    sort: Annotated[SortName, Field(description="By code point, or by last change; `-` reverses")] = "name"
    limit: Annotated[int, Field(ge=1, le=MAX_LIMIT, description="Most patterns in one page")] = 100
    page: Annotated[str | None, Field(description="`next_page` of an earlier answer")] = None

    def question(self, team_id: str) -> list[str | None]:
        """What a page token is bound to."""
        wanted = [self.status, self.category, self.severity, self.tag, self.name]
        return [team_id, *wanted, self.sort, self.as_of]


@dataclass(frozen=True, kw_only=True, slots=True)
class Sort:
    """An order that an index has; `place` is where a row stands in it, and `after` what follows a place."""

    order: str
    after: str
    place: str
    shape: TypeAdapter[Any]


_NAME = TypeAdapter(tuple[Text, Id])
_BY_NAME = "name, pattern_id::text"

SORTS: Mapping[SortName, Sort] = {
    "name": Sort(
        order="name, pattern_id", after="(name, pattern_id) > ({}, {}::uuid)", place=_BY_NAME, shape=_NAME
    ),
    "-name": Sort(
        order="name DESC, pattern_id DESC",
        after="(name, pattern_id) < ({}, {}::uuid)",
        place=_BY_NAME,
        shape=_NAME,
    ),
    "updated": Sort(order="sequence", after="sequence > {}", place="sequence", shape=ORDINAL),
    "-updated": Sort(order="sequence DESC", after="sequence < {}", place="sequence", shape=ORDINAL),
}

_ITEM = """
'{{"pattern_id":"' || pattern_id || '","version":' || version || ',"sequence":' || sequence
|| ',"status":"' || CASE WHEN archived THEN 'archived' ELSE 'live' END || '","fields":' || {fields} || '}}'
"""
ITEM = _ITEM.format(fields="fields")
PAST_ITEM = _ITEM.format(fields="(item::json -> 'fields')")
_ROWS = """
SELECT pattern_id, version, sequence, archived, name, fields, octet_length(fields) AS size
  FROM patterns WHERE team_id = $1 AND archived = {archived}{conditions}
"""
_PAST_ROWS = """
SELECT pattern_id, version, sequence, archived, name, item, octet_length(item) AS size
  FROM history WHERE team_id = $1 AND archived = {archived}{conditions}
"""
_ARCHIVED: Mapping[Status, Sequence[str]] = {
    "live": ("false",),
    "archived": ("true",),
    "any": ("false", "true"),
}


def list_statement(
    team_id: str, query: PatternsQuery, place: tuple[str | int, ...] | None, point: Cursor | None = None
) -> tuple[str, list[object]]:
    """The statement for a query from a place on, and its arguments from $3 on."""
    arguments: list[object] = []

    def parameter(value: object) -> str:
        arguments.append(value)
        return f"${len(arguments) + 2}"

    sort = SORTS[query.sort]
    conditions = _conditions(team_id, query, parameter)
    if place is not None:
        conditions.append(sort.after.format(*map(parameter, place)))
    if point is not None:
        conditions.append(CURRENT.format(point=parameter(point.sequence)))
    restricted = "".join(f" AND {condition}" for condition in conditions)
    rows = _ROWS if point is None else _PAST_ROWS
    statement = page_statement(
        rows=merged_rows(
            [rows.format(archived=one, conditions=restricted) for one in _ARCHIVED[query.status]], sort.order
        ),
        item=ITEM if point is None else PAST_ITEM,
        place=sort.place,
        order=sort.order,
    )
    return statement, arguments


def _conditions(team_id: str, query: PatternsQuery, parameter: Callable[[object], str]) -> list[str]:
    wanted = {"category": query.category, "severity": query.severity, "tag": query.tag}
    facets = [facet(team_id, field, value) for field, value in wanted.items() if value is not None]
    conditions = [f"facets @> {parameter(facets)}::uuid[]"] if facets else []
    if query.name is not None:
        forms = {query.name, *(unicodedata.normalize(form, query.name) for form in ("NFC", "NFD"))}
        conditions.append(f"name = ANY ({parameter(sorted(forms))}::text[])")
    return conditions
